"""Lines of which a promise hangs, each with the tests that must fail without it."""

from __future__ import annotations

from mutations.breaking import Mutation

MUTATIONS = (
    # Consent
    Mutation(
        "Nothing is kept of a face whose consent was taken back while its headshots were made",
        "workers/pipeline/assignment.py",
        "    agreed = consent.require(session, participation.member_id, work.needs)\n",
        "    agreed = work.consent\n",
        (
            "tests/unit/workers/pipeline/test_assignment.py::test_nothing_is_kept_whose_consent_was_taken_back_while_it_was_made",
        ),
    ),
    Mutation(
        "No work begins on a face without its consent",
        "workers/pipeline/assignment.py",
        "    agreed = consent.require(session, participation.member_id, needs)\n",
        "    agreed = consent.own_photos()\n",
        ("tests/unit/workers/pipeline/test_assignment.py::test_no_work_begins_without_what_it_needs",),
    ),
    Mutation(
        "An embedding is not kept of whom took that consent back while the photo was checked",
        "workers/jobs/intake.py",
        "    compare = agreed.covers(Purpose.LIKENESS)\n",
        "    compare = True\n",
        (
            "tests/unit/workers/jobs/test_intake_job.py::test_a_consent_that_is_taken_back_while_the_photo_is_checked_is_asked_for_again",
        ),
    ),
    Mutation(
        "A consent that was taken back counts no more",
        "core/people/consents.py",
        "if row.granted and row.withdrawn_at is None:",
        "if row.granted:",
        ("tests/flows/test_recovery.py::test_withdrawn_consent_ends_the_work_at_once",),
    ),
    Mutation(
        "No model is kept of whom took that consent back",
        "core/portraits/adapters.py",
        "    _demand(session, participation)\n    earlier =",
        "    earlier =",
        (
            "tests/unit/core/portraits/test_adapters.py::test_nothing_can_be_kept_once_the_consent_is_taken_back",
        ),
    ),
    Mutation(
        "Figures of comparing faces go with that consent",
        "core/portraits/headshots.py",
        "if name not in COMPARED}",
        'if name != "likeness"}',
        (
            "tests/unit/workers/pipeline/test_assignment.py::test_figures_of_comparing_faces_go_with_that_consent_before_or_after_they_are_kept",
        ),
    ),
    Mutation(
        "A text with “Sie” is not kept as the one with “du”",
        "compliance/consent/texts/__init__.py",
        "    tag = language if language == formal.SIE else formal.written(language)\n",
        "    tag = formal.written(language)\n",
        (
            "tests/unit/compliance/test_texts.py::test_the_two_german_wordings_are_texts_of_their_own_and_neither_asks_again",
        ),
    ),
    # The vault
    Mutation(
        "The bytes of one picture do not open as another of the same person",
        "core/vault/vault.py",
        "return of.org_id.bytes + member + of.id.bytes + of.kind.encode()",
        "return of.org_id.bytes + member + of.kind.encode()",
        (
            "tests/unit/core/vault/test_vault.py::test_bytes_of_one_artifact_do_not_open_as_another_of_the_same_owner",
        ),
    ),
    Mutation(
        "What is deleted is removed from the storage too",
        "core/vault/vault.py",
        "            enqueue_all(session, JobName.PURGE, subjects)\n",
        "            pass\n",
        ("tests/unit/core/vault/test_vault.py::test_deletion_owes_one_purge_a_person_and_one_a_brand_asset",),
    ),
    Mutation(
        "What is being deleted cannot be read",
        "core/vault/vault.py",
        "if artifact is None or artifact.delete_requested_at is not None:",
        "if artifact is None:",
        ("tests/unit/core/vault/test_vault.py::test_requested_deletion_is_unreadable_before_the_purge",),
    ),
    Mutation(
        "What a person removed is noted where no restore undoes it",
        "core/portraits/photos.py",
        "vault().keys.removals.note_after_commit(session, photos[0].member_id, ids, now())",
        "del ids",
        (
            "tests/flows/test_removed_again.py::test_a_photo_a_picture_and_a_part_that_were_removed_singly_are_removed_again",
        ),
    ),
    Mutation(
        "Nothing starts while a photo is back that its person removed",
        "deploy/installation.py",
        "for ledger in (erasure, withdrawals, removals)",
        "for ledger in (erasure, withdrawals)",
        (
            "tests/flows/test_removed_again.py::test_a_copy_as_young_as_the_mark_is_not_served_with_a_photo_that_was_removed",
        ),
    ),
    Mutation(
        "An erasure that is carried out again has the receipt of the first",
        "compliance/erasure/begin.py",
        "id=named or new_id(),",
        "id=new_id(),",
        (
            "tests/flows/test_restore.py::test_the_receipt_that_a_person_kept_opens_the_page_of_the_erasure_that_a_restore_carries_out_again",
        ),
    ),
    Mutation(
        "A key that was destroyed is not made again",
        "core/vault/keys.py",
        "if session.scalar(select(ErasedOwner.hash).where(erased).limit(1)):",
        "if False:",
        ("tests/unit/core/vault/test_vault.py::test_destroyed_key_makes_everything_unreadable_at_once",),
    ),
    Mutation(
        "Turning the epoch destroys the key of the old one",
        "core/vault/keys.py",
        "                self._kms.destroy(epoch.number)\n                if epoch.number not in gone:",
        "                if False:",
        ("tests/unit/core/vault/test_vault.py::test_turned_epoch_keeps_survivors_and_kills_old_copies",),
    ),
    # Erasure, retention
    Mutation(
        "Erasing takes the employee number",
        "core/models/member.py",
        "employee_id: Mapped[str | None] = mapped_column(String(64), info=personal(Category.IDENTITY))",
        "employee_id: Mapped[str | None] = mapped_column(String(64), info=harmless(Harmless.CODE))",
        ("tests/unit/compliance/test_erasure.py::test_no_row_anywhere_says_a_word_about_an_erased_person",),
    ),
    Mutation(
        "Erasing ends every session",
        "core/people/access.py",
        "    sessions.end_all(session, member.id)\n",
        "",
        ("tests/unit/compliance/test_erasure.py::test_erasing_ends_sessions_and_links_at_once",),
    ),
    Mutation(
        "Erasing takes the measures of the face on each result",
        "core/models/headshot.py",
        "info=personal(Category.FACE, {})",
        "info=harmless(Harmless.WORK)",
        ("tests/unit/compliance/test_erasure.py::test_no_row_anywhere_says_a_word_about_an_erased_person",),
    ),
    Mutation(
        "Nothing is certified while something can still be read",
        "compliance/erasure/destroy.py",
        "if left or keys.exists(erasure.member_id):",
        "if False:",
        ("tests/unit/compliance/test_erasure.py::test_nothing_is_signed_while_an_object_remains",),
    ),
    Mutation(
        "A certificate is complete only when the epoch has turned",
        "compliance/certificate/issuing.py",
        "return Status.COMPLETE if erasure.epoch_destroyed_at else Status.PENDING",
        "return Status.COMPLETE",
        ("tests/unit/compliance/test_erasure.py::test_erased_at_once_and_proven_after_the_epoch",),
    ),
    Mutation(
        "A place that nobody looked into stops the certificate",
        "compliance/certificate/lines.py",
        "    if unread:\n",
        "    if False:\n",
        ("tests/unit/compliance/test_lines.py::test_a_place_that_nobody_looked_into_stops_the_certificate",),
    ),
    Mutation(
        "A line of which something is left stops the certificate",
        "compliance/certificate/lines.py",
        "    if left := [f",
        "    if False and [f",
        ("tests/unit/compliance/test_lines.py::test_a_place_that_nobody_looked_into_stops_the_certificate",),
    ),
    Mutation(
        "A timestamp by whoever likes is refused",
        "compliance/pdf/timestamp.py",
        "        any(_issued_by(certificate, one, moment) for one in authorities),",
        "        True,",
        ("tests/unit/compliance/test_timestamp.py::test_a_stamp_by_whoever_likes_is_refused",),
    ),
    Mutation(
        "What an erasure ends is no withdrawal",
        "compliance/erasure/begin.py",
        "    with because(session, Ground.ERASURE):\n        _end_everything",
        "    if True:\n        _end_everything",
        (
            "tests/unit/compliance/test_statement.py::test_each_end_is_counted_under_its_reason_and_read_again",
        ),
    ),
    Mutation(
        "The names of copies are forgotten when the company has deleted them",
        "compliance/recall.py",
        "            vault().keys.forget([key])\n",
        "            pass\n",
        (
            "tests/unit/compliance/test_recall.py::test_every_copy_is_noted_and_named_until_the_company_has_deleted_it",
        ),
    ),
    Mutation(
        "Selfies go on schedule",
        "compliance/schedule.py",
        "        (Participation.state.in_(participations.SETTLED), _after(Participation.approved_at, days)),\n",
        "",
        ("tests/unit/compliance/test_retention.py::test_selfies_go_on_schedule_and_the_headshot_stays",),
    ),
    # Evidence
    Mutation(
        "A certificate whose signature does not fit is refused",
        "compliance/pdf/seal.py",
        '_signed_by(certificate, signer["signature"].native, attributes.untag().dump()),',
        "True,",
        ("tests/unit/compliance/test_verify.py::test_signature_of_other_words_is_refused_as_such",),
    ),
    Mutation(
        "A certificate of somebody else's key is refused",
        "compliance/pdf/seal.py",
        "        any(_issued_by(certificate, root) for root in roots),\n",
        "        True,\n",
        ("tests/unit/compliance/test_verify.py::test_certificate_of_another_signer_is_refused",),
    ),
    Mutation(
        "A printed fingerprint is computed again, never believed",
        "compliance/signing.py",
        "    if written != computed:\n",
        "    if False:\n",
        (
            "tests/unit/compliance/test_verify.py::test_forged_keys_that_print_the_genuine_fingerprints_are_refused",
        ),
    ),
    Mutation(
        "Certified facts stand in the log",
        "compliance/verify.py",
        "        {name: facts.get(name) for name in expected} == expected,\n",
        "        True,\n",
        ("tests/unit/compliance/test_verify.py::test_facts_that_the_log_does_not_hold_are_refused",),
    ),
    Mutation(
        "A log that is not the one that was signed is not signed",
        "compliance/log/heads.py",
        "if (index + 1) << level <= size and nodes.find((level, index)) != node:",
        "if False:",
        (
            "tests/unit/compliance/test_log_heads.py::test_a_log_that_was_rewritten_is_not_signed_and_others_are",
        ),
    ),
    Mutation(
        "Entries lead up to the signed head",
        "compliance/log/watch.py",
        "        if span.anchors.get(peak) != top:\n",
        "        if False:\n",
        ("tests/unit/compliance/test_log_watch.py::test_whatever_the_tables_owner_rewrites_is_noticed",),
    ),
    # Tenants and doors
    Mutation(
        "A company's session sees no row of another",
        "migrations/versions/0027_walls_asked_once.py",
        'f"ALTER POLICY tenant ON {table} USING ({column} = {current})',
        "f\"ALTER POLICY tenant ON {table} USING ({column} = {current} OR '{table}' = 'photos')",
        ("tests/security/test_tenants.py::test_raw_sql_of_one_organization_sees_no_row_of_another",),
    ),
    Mutation(
        "A pooled connection forgets the company",
        "core/db.py",
        "set_config('{name}', :v{number}, true)",
        "set_config('{name}', :v{number}, false)",
        ("tests/security/test_tenants.py::test_pooled_connection_forgets_the_organization",),
    ),
    Mutation(
        "A session opens the app of its sign-in only",
        "core/people/sessions.py",
        "        if row.app != app or SignInMethod(row.method).opens is not app:\n            return None\n",
        "",
        ("tests/security/test_session_doors.py::test_a_row_that_says_two_things_opens_nothing",),
    ),
    Mutation(
        "The last one who can manage a company stays, though two go at once",
        "core/people/access.py",
        "        .with_for_update(key_share=True)\n",
        "",
        ("tests/unit/core/people/test_access.py::test_two_admins_who_take_each_other_out_leave_one",),
    ),
    Mutation(
        "A page asks for the permission that it names",
        "core/web/guards.py",
        "            if not allowed(me().role, permission):\n",
        "            if False:\n",
        ("tests/unit/admin/test_guards.py::test_each_role_enters_exactly_what_its_permissions_say",),
    ),
    Mutation(
        "Downloading a company's portraits needs a permission",
        "admin/download.py",
        "@requires(Permission.DOWNLOAD)\ndef shoot_zip(",
        "def shoot_zip(",
        ("tests/unit/admin/test_guards.py::test_every_admin_route_asks_for_a_permission",),
    ),
    Mutation(
        "Where a shoot is reviewed, nothing is handed over that nobody has looked at",
        "core/portraits/downloads.py",
        "    return session.get_one(Headshot, participation.chosen_headshot_id).reviewed_at is None\n",
        "    return False\n",
        (
            "tests/unit/admin/test_pictures.py::test_where_a_review_is_asked_for_nothing_is_handed_over_before",
        ),
    ),
    Mutation(
        "Nobody of a company sees what comes from comparing faces",
        "core/portraits/gallery.py",
        "if name not in COMPARED | {GateName.ONE_FACE}",
        "if name is not GateName.ONE_FACE",
        ("tests/unit/admin/test_pictures.py::test_nothing_that_comes_from_comparing_faces_is_shown",),
    ),
    Mutation(
        "Nobody lets a picture of themselves be handed over",
        "core/portraits/reviews.py",
        "    if participation.member_id == actor.member_id:\n",
        "    if False:\n",
        ("tests/unit/admin/test_pictures.py::test_nobody_reviews_a_picture_of_themselves",),
    ),
    Mutation(
        "Who organises shoots cannot follow people through the log",
        "compliance/log/listing.py",
        "        query = query.where(AuditEvent.subject_id.is_(None))\n",
        "        pass\n",
        ("tests/unit/admin/test_guards.py::test_who_works_with_people_cannot_follow_them_through_the_log",),
    ),
    Mutation(
        "An invitation opens nothing once its time is over",
        "core/shoots/invites.py",
        "    if invite.expires_at <= now():\n",
        "    if False:\n",
        (
            "tests/unit/portal/test_invite_pages.py::test_an_expired_link_is_renewed_by_mail_and_never_signs_in",
        ),
    ),
    Mutation(
        "An open link adds no more people than HR said, however many come at once",
        "core/shoots/open_links.py",
        "    return Ending.FULL if link.joined >= link.most else None\n",
        "    return None\n",
        ("tests/unit/portal/test_open_link.py::test_two_at_once_do_not_share_the_last_place",),
    ),
    Mutation(
        "Whoever joins by an open link waits for whoever joins before them",
        "core/shoots/open_links.py",
        "    link, shoot = usable(session, link_id, lock=True)\n",
        "    link, shoot = usable(session, link_id)\n",
        ("tests/unit/portal/test_open_link.py::test_two_at_once_do_not_share_the_last_place",),
    ),
    Mutation(
        "Only addresses of the company join by an open link",
        "core/shoots/open_links.py",
        '    if addresses.domain_of(said[Fact.EMAIL] or "") not in link.domains:\n',
        "    if False:\n",
        (
            "tests/unit/portal/test_open_link.py::test_another_domain_is_refused_in_words_and_what_was_typed_stays",
        ),
    ),
    Mutation(
        "Nobody fills a mailbox by asking for links",
        "core/shoots/invites.py",
        "    if newest is not None and newest.created_at > now() - AGAIN_AFTER:\n",
        "    if False:\n",
        (
            "tests/unit/portal/test_open_link.py::test_who_is_in_the_shoot_is_mailed_their_link_again_and_not_twice_in_ten_minutes",
        ),
    ),
    Mutation(
        "How long an open link takes to answer tells nobody who is known",
        "portal/open_link.py",
        "    time.sleep(max(0.0, EVEN_SECONDS - (time.perf_counter() - begun)))\n",
        "",
        ("tests/unit/portal/test_open_link.py::test_the_answer_and_its_time_are_the_same_for_every_address",),
    ),
    Mutation(
        "Nobody sees a headshot that a gate has withheld, or another person's",
        "core/portraits/headshots.py",
        "if headshot is None or headshot.member_id != member_id or not is_visible(headshot):",
        "if headshot is None:",
        (
            "tests/unit/portal/test_result_pages.py::test_nobody_sees_another_persons_headshot",
            "tests/unit/portal/test_result_pages.py::test_a_withheld_result_is_never_served_only_its_reason",
        ),
    ),
    Mutation(
        "A form works only from our own page",
        "core/web/app.py",
        "        WTF_CSRF_TIME_LIMIT=None,",
        "        WTF_CSRF_CHECK_DEFAULT=False,",
        ("tests/unit/portal/test_invite_pages.py::test_accepting_needs_the_pages_own_form",),
    ),
    Mutation(
        "A NUL is refused wherever it stands",
        "core/web/characters.py",
        r"""re.compile("[\0\ud800-\udfff]")""",
        r"""re.compile("[\ud800-\udfff]")""",
        (
            "tests/security/test_input.py::test_a_nul_in_a_path_or_a_cookie_is_refused_and_the_cookie_forgotten",
        ),
    ),
    # Sign-in
    Mutation(
        "An answer meant for another application signs nobody in",
        "sso/assertion.py",
        "if not all(sp_entity_id in audiences for audiences in restrictions):",
        "if False:",
        ("tests/unit/sso/test_assertion.py::test_audience_of_another_application_is_refused",),
    ),
    Mutation(
        "An answer to another request signs nobody in",
        "sso/assertion.py",
        '    if data.get("InResponseTo") != expected_request_id:\n',
        "    if False:\n",
        (
            "tests/unit/sso/test_assertion.py::test_stolen_assertion_in_a_response_to_the_right_request_is_refused",
        ),
    ),
    Mutation(
        "An assertion signs in once",
        "sso/assertion.py",
        'if not replays.first_use(connection.idp_entity_id, assertion.get("ID", ""), expires):',
        "if False:",
        ("tests/unit/sso/test_assertion.py::test_same_assertion_in_a_new_response_is_a_replay",),
    ),
    Mutation(
        "A session ends when the identity provider says so",
        "core/people/sessions.py",
        "ends.append(not_after)",
        "pass",
        ("tests/flows/test_sign_in.py::test_session_ends_no_later_than_the_identity_provider_says",),
    ),
    Mutation(
        "An address in an attribute takes over no account",
        "sso/provisioning.py",
        "    if not vouched:\n        raise AccountNotLinked\n",
        "",
        ("tests/flows/test_sign_in.py::test_address_alone_takes_over_no_account",),
    ),
    Mutation(
        "A list of groups that did not come takes nobody's role",
        "sso/provisioning.py",
        "    if not identity.all_groups:\n        return None\n",
        "",
        ("tests/flows/test_sign_in.py::test_groups_that_did_not_come_take_nobodys_role",),
    ),
    # Pictures
    Mutation(
        "A headshot that shows somebody else too is withheld",
        "workers/pipeline/gates.py",
        "        passed=count == 1,\n",
        "        passed=count >= 1,\n",
        ("tests/unit/workers/pipeline/test_gates.py::test_each_gate_catches_its_own_fault",),
    ),
    Mutation(
        "Of several people in a photo nobody is chosen without being asked",
        "workers/vision/check.py",
        "return any(other.head_height > _SAME_SIZE * view.face.head_height for other in view.others)",
        "return False",
        (
            "tests/unit/workers/vision/test_check.py::test_of_two_people_side_by_side_nobody_is_chosen_unasked",
        ),
    ),
    Mutation(
        "Nothing of the camera stays with a photo",
        "workers/jobs/intake.py",
        "            stripped = _jpeg(picture, KEPT_QUALITY)\n",
        "            stripped = content\n",
        ("tests/unit/workers/jobs/test_intake_job.py::test_nothing_of_the_camera_stays_in_what_is_kept",),
    ),
    Mutation(
        "The original of a photo is deleted once its copy is kept",
        "core/portraits/verdicts.py",
        "        replaced.append(photo.artifact_id)\n",
        "        pass\n",
        (
            "tests/unit/portal/test_upload_pages.py::test_the_verdict_arrives_and_the_original_with_its_gps_position_is_gone",
        ),
    ),
    # At once, and in the log
    Mutation(
        "A transaction that lost a deadlock is done again",
        "core/locks.py",
        '_AGAIN: Final = frozenset({"40P01", "40001"})',
        '_AGAIN: Final = frozenset({"40001"})',
        ("tests/unit/core/test_locks.py::test_a_transaction_that_lost_a_deadlock_is_done_again",),
    ),
    Mutation(
        "A log line carries no name, whatever is logged",
        "core/logs.py",
        "    return {key: value for key, value in event.items() if key in ALLOWED}\n",
        "    return event\n",
        ("tests/unit/core/test_logs.py::test_only_named_fields_reach_the_log",),
    ),
    Mutation(
        "A log line of a failure carries nothing of what it was about",
        "core/logs.py",
        '        event["error"] = type(exception).__name__\n',
        '        event["error"] = str(exception)\n',
        (
            "tests/unit/core/test_logs.py::test_a_failure_is_logged_by_kind_and_place_and_never_by_what_it_was_about",
        ),
    ),
    Mutation(
        "Owed work is done once",
        "workers/process/runner.py",
        "            if row.done_at is not None or row.failed_at is not None:\n                raise AlreadyDone\n",
        "",
        (
            "tests/unit/workers/process/test_runner.py::test_a_result_of_work_that_was_done_meanwhile_is_dropped",
        ),
    ),
    # Requests and receipts
    Mutation(
        "Only the refusal that was read is confirmed",
        "compliance/requests/desk.py",
        "    if proposal is None or proposal != proposal_of(session, row):\n",
        "    if proposal is None:\n",
        (
            "tests/unit/admin/test_requests_page.py::test_a_page_from_before_confirms_no_other_refusal_than_it_showed",
        ),
    ),
    Mutation(
        "A receipt opens for its own person alone",
        "compliance/consent/receipts.py",
        "    if row is None or row.member_id != member_id:\n",
        "    if row is None:\n",
        ("tests/unit/portal/test_receipts.py::test_nobody_opens_a_receipt_of_somebody_else",),
    ),
    Mutation(
        "A text counts as read only where it was the one that was open",
        "portal/declined.py",
        '    return shown if request.form.get("text_version") == mark_of(shown) else None\n',
        "    return shown\n",
        (
            "tests/unit/portal/test_receipts.py::test_a_text_that_was_not_open_is_not_claimed_to_have_been_read",
        ),
    ),
    Mutation(
        "Nothing of a program's request is read before its signature is right",
        "compliance/requests/opendsr/exchange.py",
        "    if known is None or not signing.is_signed(content, signature, known.certificate):\n",
        "    if known is None:\n",
        (
            "tests/unit/portal/test_opendsr.py::test_nothing_is_read_that_is_not_signed_by_a_program_of_the_company",
        ),
    ),
    Mutation(
        "No status callback reaches an address inside",
        "core/outside.py",
        "    if not addresses or not all(_is_allowed(one) for one in addresses):\n",
        "    if not addresses:\n",
        ("tests/unit/portal/test_opendsr.py::test_no_address_inside_is_ever_reached",),
    ),
    Mutation(
        "A refusal cites the law of where its person works",
        "compliance/requests/refusals.py",
        "    own = _BY_RIGHT.get(regime, _NO_STATUTE).get(right, {})\n",
        "    own = _GDPR.get(right, {})\n",
        (
            "tests/unit/compliance/test_laws.py::test_a_refusal_cites_the_law_of_where_its_person_works_or_that_it_names_none",
        ),
    ),
    # The installation
    Mutation(
        "A sweep deletes nothing in a storage that is another installation's",
        "compliance/strays.py",
        "    vault().ties.check_storage()\n",
        "",
        (
            "tests/unit/compliance/test_strays.py::test_a_database_that_is_another_installations_deletes_nothing",
        ),
    ),
    Mutation(
        "No epoch key counts as destroyed while its copy lies in escrow",
        "core/vault/kms.py",
        "            self._escrow.destroy(epoch)\n",
        "            pass\n",
        ("tests/unit/deploy/test_escrow.py::test_the_copy_turns_with_the_epoch_and_no_old_one_is_left",),
    ),
    # Mails
    Mutation(
        "Nobody makes up that a mail came back",
        "core/mail/returns.py",
        "    return mail_id if hmac.compare_digest(proof, _proof(mail_id)) else None\n",
        "    return mail_id\n",
        ("tests/unit/admin/test_bounces.py::test_nobody_makes_up_a_report_of_a_mail_they_never_saw",),
    ),
    Mutation(
        "A late report of an older mail says nothing of the newer one",
        "core/shoots/deliveries.py",
        "    if participation.mail_state == MailState.SENT and newest is not None and newest.id == row.id:\n",
        "    if newest is not None:\n",
        ("tests/unit/admin/test_bounces.py::test_a_late_report_of_an_older_mail_says_nothing_of_the_newer",),
    ),
    Mutation(
        "Nobody is reminded twice within a day",
        "core/shoots/reminding.py",
        "AGAIN_AFTER: Final = timedelta(hours=24)\n",
        "AGAIN_AFTER: Final = timedelta(hours=0)\n",
        (
            "tests/unit/admin/test_shoot_pages.py::test_nobody_is_reminded_by_one_click_and_nobody_twice_a_day",
        ),
    ),
    Mutation(
        "No reminder leaves at night",
        "workers/jobs/invite_mail.py",
        "        raise NotYet(seconds)\n",
        "        pass\n",
        (
            "tests/unit/core/shoots/test_reminding.py::test_a_reminder_to_everyone_waits_for_the_day_and_one_by_name_does_not",
        ),
    ),
)

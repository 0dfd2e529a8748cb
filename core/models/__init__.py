"""All tables, one noun a file."""

from core.models.adapter import Adapter, AdapterKind
from core.models.arrival import Arrival
from core.models.artifact import Artifact, Kind
from core.models.attestation import Attestation
from core.models.audit_event import AuditEvent
from core.models.base import Base, Tenant
from core.models.breach import Breach, Told
from core.models.bulk import BulkAction, BulkItem
from core.models.certificate import Certificate
from core.models.company_report import CompanyReport
from core.models.consent import Act, Consent, ConsentReceipt, ShownNotice
from core.models.delivery import Delivery, MailKind, MailState, Teller
from core.models.erasure import Erasure
from core.models.farewell import Farewell
from core.models.headshot import Headshot
from core.models.installation import Installation
from core.models.invite import Invite
from core.models.log import Checkpoint, CosignatureRow, LogLeaf, LogNode
from core.models.look import Look
from core.models.mail_text import MailText
from core.models.member import DirectoryState, Member, Person, Role
from core.models.open_link import OpenLink
from core.models.opendsr import OpendsrController, OpendsrRequest
from core.models.organization import Organization
from core.models.outbox import Outbox
from core.models.participation import Alternative, Participation, State
from core.models.photo import Photo
from core.models.privacy_version import PrivacyVersion
from core.models.recall import Recall
from core.models.roster_import import RosterImport
from core.models.saml_connection import SamlConnectionRow
from core.models.shoot import EngineName, Shoot
from core.models.statement import Statement
from core.models.style import Style
from core.models.subject_request import Channel, Right, Stage, SubjectRequest
from core.models.upload import Upload, Use
from core.models.web_session import App, SignInMethod, WebSession

__all__ = [
    "Act",
    "Adapter",
    "AdapterKind",
    "Alternative",
    "App",
    "Arrival",
    "Artifact",
    "Attestation",
    "AuditEvent",
    "Base",
    "Breach",
    "BulkAction",
    "BulkItem",
    "Certificate",
    "Channel",
    "Checkpoint",
    "CompanyReport",
    "Consent",
    "ConsentReceipt",
    "CosignatureRow",
    "Delivery",
    "DirectoryState",
    "EngineName",
    "Erasure",
    "Farewell",
    "Headshot",
    "Installation",
    "Invite",
    "Kind",
    "LogLeaf",
    "LogNode",
    "Look",
    "MailKind",
    "MailState",
    "MailText",
    "Member",
    "OpenLink",
    "OpendsrController",
    "OpendsrRequest",
    "Organization",
    "Outbox",
    "Participation",
    "Person",
    "Photo",
    "PrivacyVersion",
    "Recall",
    "Right",
    "Role",
    "RosterImport",
    "SamlConnectionRow",
    "Shoot",
    "ShownNotice",
    "SignInMethod",
    "Stage",
    "State",
    "Statement",
    "Style",
    "SubjectRequest",
    "Teller",
    "Tenant",
    "Told",
    "Upload",
    "Use",
    "WebSession",
]

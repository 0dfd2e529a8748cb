"""A real Redis, real keys, and responses built by the development identity provider."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy.local.services import LocalServices
from sso.assertion import validate_response
from sso.credentials import Credentials, load_or_create, make_sp_credentials
from sso.devidp import response as idp
from sso.devidp.people import ADMIN_GROUP, DevPerson
from sso.replay import ReplayCache
from sso.saml import NAMESPACES, Identity, SamlConnection

SP = "https://photos.example.com"
IDP = "https://idp.example.org/metadata"
REQUEST_ID = "_request-0123456789abcdef"


@pytest.fixture
def no_redis(tmp_path: Path) -> Redis:
    """A client whose server is not there."""
    return Redis(unix_socket_path=str(tmp_path / "nothing.sock"), retry=Retry(NoBackoff(), 0))


@pytest.fixture
def redis(services: LocalServices) -> Iterator[Redis]:
    services.flush_redis()
    with Redis.from_url(services.redis_url) as client:
        yield client


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    make_sp_credentials(folder)
    return folder


@pytest.fixture(scope="session")
def idp_key(keys: Path) -> Credentials:
    return load_or_create(keys, "idp", "an identity provider")


@pytest.fixture(scope="session")
def other_key(keys: Path) -> Credentials:
    return load_or_create(keys, "other", "another identity provider")


@pytest.fixture(scope="session")
def sp_key(keys: Path) -> Credentials:
    return make_sp_credentials(keys)


@pytest.fixture
def connection(idp_key: Credentials) -> SamlConnection:
    return SamlConnection(
        org="acme",
        idp_entity_id=IDP,
        idp_sso_url="https://idp.example.org/sso",
        idp_certificates=(idp_key.certificate_pem,),
        sp_base_url=SP,
        admin_groups=frozenset({ADMIN_GROUP}),
    )


@pytest.fixture
def hannah() -> DevPerson:
    return DevPerson(
        "acme", "Hannah.Rivera@acme.example", "Hannah", "Rivera", "HR admin", (ADMIN_GROUP, "staff")
    )


Change = Callable[[etree._Element], object]


@dataclass
class Desk:
    """Builds responses for the connection and hands them in."""

    connection: SamlConnection
    person: DevPerson
    key: Credentials
    replays: ReplayCache
    answer: idp.Answer

    def assertion(self, change: Change | None = None) -> etree._Element:
        """An honest signed assertion, changed before it is signed."""
        unsigned = idp.assertion(self.answer, self.person)
        if change:
            change(unsigned)
        return idp.sign(unsigned, self.key)

    def response(self, change: Change | None = None) -> etree._Element:
        return idp.response(self.answer, self.assertion(change))

    def hand_in(
        self,
        response: etree._Element | bytes,
        *,
        connection: SamlConnection | None = None,
        expected: str | None = REQUEST_ID,
    ) -> Identity:
        xml = response if isinstance(response, bytes) else etree.tostring(response)
        return validate_response(
            connection or self.connection,
            base64.b64encode(xml).decode(),
            expected_request_id=expected,
            replays=self.replays,
        )


@pytest.fixture
def desk(connection: SamlConnection, hannah: DevPerson, idp_key: Credentials, redis: Redis) -> Desk:
    answer = idp.Answer(IDP, connection.sp_entity_id, connection.acs_url, REQUEST_ID)
    return Desk(connection, hannah, idp_key, ReplayCache(redis), answer)


@pytest.fixture
def one() -> Callable[[etree._Element, str], etree._Element]:
    """Find the one element at a path below."""

    def find(element: etree._Element, path: str) -> etree._Element:
        found = element.findall(path, NAMESPACES)
        assert len(found) == 1, path
        return found[0]

    return find

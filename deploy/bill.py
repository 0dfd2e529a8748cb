"""`python -m deploy.bill`: a bill of materials (CycloneDX 1.6, JSON) of what is installed beside this Python.

Packages of Python with their licences and what each needs, and Debian's packages where the system has them. An image
carries its own as /opt/headshots/bill-of-materials.json.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from core.clock import now
from core.ids import new_id
from deploy.licences import licence_of

PRODUCT = canonicalize_name("headshots")


def python_packages() -> list[importlib.metadata.Distribution]:
    """Return every installed package once, by name."""
    found = {canonicalize_name(one.metadata["Name"]): one for one in importlib.metadata.distributions()}
    return [found[name] for name in sorted(found)]


def debian_packages() -> list[dict[str, Any]]:
    """Return the system's packages as components; none where there is no dpkg."""
    if shutil.which("dpkg-query") is None:
        return []
    listed = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture} ${db:Status-Abbrev}\n"],
        capture_output=True,
        text=True,
        check=True,
    )
    components = []
    for line in listed.stdout.splitlines():
        name, version, architecture, status = line.split()
        if status == "ii":
            url = f"pkg:deb/debian/{name}@{version}?arch={architecture}"
            components.append(
                {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}
            )
    return components


def bill() -> dict[str, Any]:
    """Return the bill of materials."""
    packages = python_packages()
    address = {
        canonicalize_name(
            one.metadata["Name"]
        ): f"pkg:pypi/{canonicalize_name(one.metadata['Name'])}@{one.version}"
        for one in packages
    }
    components = []
    needs = []
    for one in packages:
        name = canonicalize_name(one.metadata["Name"])
        needed = {
            canonicalize_name(wanted.name)
            for wanted in map(Requirement, one.requires or [])
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""})
        }
        needs.append(
            {
                "ref": address[name],
                "dependsOn": sorted(address[other] for other in needed if other in address),
            }
        )
        if name != PRODUCT:
            components.append(
                {
                    "type": "library",
                    "bom-ref": address[name],
                    "name": name,
                    "version": one.version,
                    "purl": address[name],
                    "licenses": [_licence(licence_of(name, one.metadata))],
                }
            )
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{new_id()}",
        "version": 1,
        "metadata": {
            "timestamp": now().isoformat(timespec="seconds"),
            "component": {
                "type": "application",
                "bom-ref": address[PRODUCT],
                "name": PRODUCT,
                "version": importlib.metadata.version(PRODUCT),
            },
        },
        "components": [*components, *debian_packages()],
        "dependencies": needs,
    }


def _licence(expression: str) -> dict[str, Any]:
    # An expression of SPDX, or a name of the licence's own (CycloneDX 1.6, licenseChoice).
    if re.search(r"\bLicenseRef-|\s(AND|OR|WITH)\s", expression):
        return {"expression": expression}
    return {"license": {"name" if expression == "NOASSERTION" else "id": expression}}


if __name__ == "__main__":
    json.dump(bill(), sys.stdout, indent=1)
    sys.stdout.write("\n")

"""Which gates measure what."""

from __future__ import annotations

from core.checks.report import GateName

# Of a face that a model made.
GENERATED = frozenset(
    {
        GateName.HELD_OUT,
        GateName.NEAREST,
        GateName.COPY_PASTE,
        GateName.FACE_SHAPE,
        GateName.MESH,
        GateName.EYES,
        GateName.NOISE,
        GateName.LETTERING,
    }
)

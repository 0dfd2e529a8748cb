import pytest

from core.errors import ConfigurationError
from workers.diffusion.bases import BASES, BaseRefused, base_of, refuse


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("black-forest-labs/FLUX.1-dev", "paid service"),
        ("black-forest-labs/FLUX.1-Kontext-dev", "paid service"),
        ("black-forest-labs/FLUX.2-dev", "paid service"),
        ("black-forest-labs/FLUX.2-klein-9B", "paid service"),
        ("black-forest-labs/FLUX.2-klein-base-9B", "paid service"),
        ("/models/buffalo_l", "non-commercial research"),
        ("/models/antelopev2", "non-commercial research"),
        ("deepinsight/insightface", "non-commercial research"),
        ("InstantX/InstantID", "InsightFace"),
        ("TencentARC/PhotoMaker-V2", "InsightFace"),
        ("guozinan/PuLID", "InsightFace"),
        ("h94/IP-Adapter-FaceID", "InsightFace"),
        ("ByteDance/InfiniteYou", "CC BY-NC"),
        ("briaai/RMBG-2.0", "CC BY-NC"),
        ("/models/klein-9b", "paid service"),
        ("black-forest-labs/FLUX.3-klein", "5 million"),
        ("stabilityai/stable-diffusion-3.5-large", "1 million"),
        ("krea/Krea-2-Turbo", "1 million"),
        ("ideogram-ai/ideogram-4", "paid service"),
        ("stabilityai/sdxl-turbo", "paid service"),
    ],
)
def test_weights_that_a_paid_service_may_not_use_are_refused_with_the_reason(name, reason):
    with pytest.raises(BaseRefused, match=reason) as caught:
        refuse(name)
    assert name in caught.value.message
    assert "Apache-2.0" in caught.value.message, "says what to use instead"


@pytest.mark.parametrize(
    "name",
    [weights.repository for base in BASES.values() for weights in (base.train, base.sample)]
    + ["/srv/models/flux2-klein-4b", "/srv/devices/sdxl"],
)
def test_licensed_weights_are_not_refused(name):
    refuse(name)


def test_an_unknown_base_is_told_with_the_ones_there_are():
    with pytest.raises(ConfigurationError, match="klein, sdxl, z-image"):
        base_of("flux")

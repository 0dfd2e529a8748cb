"""Two people to learn."""

import pytest
from skimage import data


@pytest.fixture(scope="session")
def ada():
    from learning import example

    portrait = data.astronaut()
    return [example(portrait[0:300, 60:360]), example(portrait[0:250, 100:350], "ohwx person, smiling")]


@pytest.fixture(scope="session")
def bob():
    """Somebody who looks like Ada's negative, and so has nothing in common with her."""
    from learning import example

    portrait = 255 - data.astronaut()
    return [example(portrait[0:300, 60:360]), example(portrait[0:250, 100:350], "ohwx person, smiling")]

"""The main job through real HTTP, as HR and employees do it in a browser: `headshots demo`."""

from deploy.demo.story import DemoResult, Place, demo, run_demo

__all__ = ["DemoResult", "Place", "demo", "run_demo"]

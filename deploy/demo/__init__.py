"""The main job through real HTTP, as HR and employees do it in a browser: `headshots demo`."""

from deploy.demo.command import demo

__all__ = ["demo"]

"""Plays one world in a process of its own, forked from one that has everything loaded; and what it leaves behind."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from blind.secret import Secret
from blind.world import DOOR, World, enter_folder

Job = Callable[[], None]
AT_ONCE = max(2, os.cpu_count() or 2)
"""Worlds that are played at the same time."""
A_MOMENT = 0.02
"""Seconds after which it is looked whether a world has ended."""
SELDOM = 100_000, 20, 50
"""How seldom a world looks for what nobody holds any more: a world is short, and looking took a tenth of its time."""


def load_everything() -> None:
    """Import what the worlds need, once, before they are forked."""
    import importlib
    import pkgutil

    import equipoise

    for found in pkgutil.walk_packages(equipoise.__path__, "equipoise."):
        if any(part in found.name for part in (".web", ".pages", "__main__", ".verify_", "vault.web")):
            continue  # Django's models can be imported only when a store is known
        if ".simulation." in found.name:
            continue  # no page and no command that is played simulates, and its library bears no fork
        importlib.import_module(found.name)
    importlib.import_module("equipoise.web.wsgi")
    importlib.import_module("django.core.handlers.wsgi")
    importlib.import_module("django.utils.timezone")
    importlib.import_module("scipy.stats")  # a page asks for it late, and it takes a second to load
    from blind.world import read_study
    from equipoise.instruments.load import scales
    from equipoise.protocol.digest import canonical_study, study_from_text
    from equipoise.words.canonical import canonical_bytes
    from equipoise.words.problem import catalogue

    catalogue()
    scales()
    study_from_text(
        canonical_bytes(canonical_study(read_study())).decode()
    )  # as each door finds it in its ledger
    _set_up()
    gc.collect()
    gc.freeze()  # what is loaded stays: a world need not look through it


def _set_up() -> None:
    """What every world has in its folder alike: the definitions that the terminal reads; and Django with the first door's
    addresses, views and templates, to which each world gives its own desk (`replaced.pages_of`).
    """
    from blind.terminal import definitions
    from blind.world import read_study
    from equipoise.pages.settings import configure_door
    from equipoise.web.settings import first_door

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        DOOR.mkdir()  # under the name that it has in every world
        for each in definitions():
            read_study(each)
        configure_door(first_door(DOOR, None))  # type: ignore[arg-type]  # no page is asked for before there is a desk
    from django.template import engines

    import equipoise.vault.web.urls
    import equipoise.web.urls  # noqa: F401  # with every view

    for engine in engines.all():
        for place in engine.template_dirs:
            for found in sorted(Path(place).rglob("*.html")):
                engine.get_template(found.relative_to(place).as_posix())


class Running:
    """A world that is being played. `wait` gives None, or how it failed."""

    def __init__(self, folder: Path, job: Job) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self._play(job)

    def _play(self, job: Job) -> None:
        """In the child: play, and end without a word to the parent's buffers."""
        status = 0
        gc.set_threshold(*SELDOM)
        try:
            job()
        except BaseException:
            (self.folder / "fault.txt").write_text(traceback.format_exc(), "utf-8")
            status = 1
        os._exit(status)

    def wait(self) -> str | None:
        """Wait for the end."""
        return self._told(os.waitpid(self.pid, 0)[1])

    def ended(self) -> tuple[bool, str | None]:
        """Whether it has ended, and how it failed."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return pid != 0, self._told(status)

    def _told(self, status: int) -> str | None:
        if status == 0:
            return None
        told = self.folder / "fault.txt"
        return told.read_text("utf-8") if told.exists() else f"ended with {status}"


@dataclass
class Task:
    """Worlds that belong together, each with its folder, and what follows when all have ended: it is given their faults."""

    jobs: list[tuple[Path, Job]]
    then: Callable[[str], None]
    faults: list[str] = field(default_factory=list)


def play_all(tasks: Iterable[Task], at_once: int = AT_ONCE) -> None:
    """Play the worlds of all tasks, some at once, in this order: a processor that is free takes the next, whosever it is."""
    waiting = [(task, folder, job) for task in tasks for folder, job in task.jobs]
    left = {id(task): len(task.jobs) for task, _, _ in waiting}
    running: list[tuple[Task, Running]] = []
    while waiting or running:
        while waiting and len(running) < at_once:
            task, folder, job = waiting.pop(0)
            running.append((task, Running(folder, job)))
        time.sleep(A_MOMENT)
        for each in list(running):
            task, world = each
            over, fault = world.ended()
            if not over:
                continue
            running.remove(each)
            task.faults += [fault] if fault else []
            left[id(task)] -= 1
            if not left[id(task)]:
                task.then("\n".join(task.faults))


def play_whole(secret: Secret, folder: Path, *, dense: bool) -> Job:
    """The whole script in one world, looked at in every state; dense: by more roles in each."""

    def job() -> None:
        from blind.course import Play
        from blind.other_door import OtherDoor
        from blind.sample import DENSE, STRIDE, Sampler
        from blind.terminal import accounts, play_terminal

        enter_folder(folder / "world")
        world = World(secret, folder / "seen")
        world.make()
        world.open()
        accounts(world)
        sampler, states = Sampler(world, DENSE if dense else STRIDE), []
        for state in Play(world).course():
            states.append(state)
            world.watch.state = state
            sampler.look()
        world.watch.state = "every command"
        sampler.every_command()
        world.watch.state = "every day"
        sampler.everyday()
        world.watch.state = "completed"
        sampler.complete()
        world.watch.state = "the second door's pages"
        OtherDoor(world).look()
        world.watch.state = "measured"
        sampler.measure()
        world.dump()
        world.keep_roles_apart()
        play_terminal(world)
        world.close()
        _leave(folder, world, states)

    return job


def make_scene(secret: Secret, folder: Path) -> Job:
    """The scene that the seeded leaks are replayed on: participants on their way, some randomized."""

    def job() -> None:
        from blind.course import Play
        from blind.terminal import accounts
        from blind.wards import Ward

        enter_folder(folder / "world")
        world = World(secret, folder / "seen")
        world.watch.on = False
        world.make()
        world.open()
        accounts(world)
        play = Play(world)
        play.come_in(1)
        for place in range(4):
            for _ in play.eligible(world.person("coordinator", "01"), f"Person {place}"):
                pass
            if place < 3:
                play.randomize(world.person("coordinator", "01"), world.numbers[-1])
        Ward(play).scene()
        world.close()
        _leave(folder, world, [])

    return job


def replay(secret: Secret, scene: Path, folder: Path, patch: Callable[[World], None],
           play: Callable[[World], None]) -> Job:  # fmt: skip
    """A short play on a copy of a scene, under a patch."""

    def job() -> None:
        shutil.copytree(scene / "world", folder / "world")
        enter_folder(folder / "world")
        world = World(secret, folder / "seen", label="replay")
        world.clock.morning(days=1)
        world.open()
        world.watch.state = "replay"
        patch(world)
        play(world)
        world.watch.state = "after"
        world.close()
        _leave(folder, world, [])

    return job


def _leave(folder: Path, world: World, states: list[str]) -> None:
    from blind.operations import gaps  # Django is set up only here

    told = {
        "states": states,
        "covered": len(world.covered),
        "operations": sorted({operation for _, operation, _, _ in world.covered}),
        "roles": sorted({role for role, _, _, _ in world.covered}),
        "gaps": [str(gap) for gap in gaps(world.covered)] if states else [],
    }
    (folder / "told.json").write_text(json.dumps(told), "utf-8")

"""Who runs the pieces of work: this process, a pool of processes on this machine, or Ray on many.

The rules that must stay true: every engine gives the same rows for the same work; JAX and Ray are imported only when
they are asked to run; the compiled program is kept on disk, so that a second run does not compile again.
"""

from __future__ import annotations

import contextlib
import importlib.util
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

from equipoise.analysis.ops import Array
from equipoise.simulation.batch.chunks import Work
from equipoise.words.problem import Problem, problem

NAMES = ("jax", "processes", "ray")


def missing_engine(name: str) -> Problem | None:
    """Why an engine cannot run here, or None."""
    if importlib.util.find_spec("jax") is None:
        return problem("simulate.no-jax")
    if name == "ray" and importlib.util.find_spec("ray") is None:
        return problem("simulate.no-ray", "--engine")
    return None


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def run(name: str, work: Sequence[Work], workers: int) -> Iterator[tuple[Work, Array]]:
    """The rows of each piece, in whatever order they are done."""
    if name == "processes" and len(work) > 1:
        yield from _in_processes(work, workers)
    elif name == "ray":
        yield from _on_ray(work)
    else:
        for piece in work:
            yield piece, rows(piece)


def rows(work: Work) -> Array:
    """(columns, count) of one piece. The whole of its last block is run, and what is not asked is left away."""
    import jax

    keep_programs()
    from equipoise.simulation.batch import trial

    blocks = -(-work.count // work.block)
    found = trial.trials(
        work.shape,
        jax.tree.map(np.asarray, work.numbers),
        np.uint32(work.seed),
        np.uint32(work.first),
        blocks,
        work.block,
    )
    parts = [np.asarray(part, np.float64).reshape(-1, blocks * work.block) for part in jax.tree.leaves(found)]
    return np.concatenate(parts)[:, : work.count]


def cache_folder() -> Path:
    """Where compiled programs are kept between runs."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "equipoise" / "programs"


def keep_programs() -> None:
    """Keep compiled programs on disk. They hold no data: numbers of a scenario are given to them when they run."""
    import jax

    change: Any = jax.config.update
    change("jax_compilation_cache_dir", str(cache_folder()))
    change("jax_persistent_cache_min_compile_time_secs", 1.0)


def device() -> str:
    """The device that JAX computes on, in its words."""
    import jax

    found = jax.devices()[0]
    return f"{found.platform} {found.device_kind}"


def _in_processes(work: Sequence[Work], workers: int) -> Iterator[tuple[Work, Array]]:
    context = multiprocessing.get_context("spawn")
    first, *rest = work
    size = min(workers, len(work))
    with _no_main(), ProcessPoolExecutor(size, mp_context=context, initializer=_alone) as pool:
        yield first, pool.submit(rows, first).result()  # compiled once; the other workers find it on disk
        waiting = {pool.submit(rows, piece): piece for piece in rest}
        for done in as_completed(waiting):
            yield waiting[done], done.result()


@contextlib.contextmanager
def _no_main() -> Iterator[None]:
    """A worker would run the file of the main program again, and the command is such a file: it is hidden from it."""
    main = sys.modules["__main__"].__dict__
    kept: dict[str, Any] = {name: main[name] for name in ("__file__", "__spec__") if name in main}
    main.pop("__file__", None)
    main["__spec__"] = None
    try:
        yield
    finally:
        main.update(kept)


def _alone() -> None:
    """One worker, one thread: many small programs beside each other are faster than one on many threads."""
    os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if "jax" in sys.modules:
        raise RuntimeError("a worker must set its threads before JAX is there")


def _on_ray(work: Sequence[Work]) -> Iterator[tuple[Work, Array]]:
    import ray

    started = not ray.is_initialized()
    if started:
        ray.init(log_to_driver=False, include_dashboard=False)
    try:
        remote: Any = ray.remote(num_cpus=1, max_retries=3)(rows)
        waiting = {remote.remote(piece): piece for piece in work}
        left = list(waiting)
        while left:
            done, left = ray.wait(left)
            for each in done:
                yield waiting[each], ray.get(each)
    finally:
        if started:
            ray.shutdown()

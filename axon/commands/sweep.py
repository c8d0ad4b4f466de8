"""Ask one question of many axons, as a study file says; the same command goes on where it was stopped."""

from __future__ import annotations

import argparse

from axon.commands.common import INTERRUPTED, answer, check_writable, quiet_argument


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", metavar="STUDY.toml", help="question, axon, ranges and plan")
    parser.add_argument("-o", "--output", required=True, metavar="FILE.h5", help="where the rows go")
    quiet_argument(parser)
    parser.add_argument("--workers", type=int, metavar="N", help="threads (default: one per processor)")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask scheduler, tcp://host:8786; needs the extra `dask`"
    )
    parser.add_argument("--time-limit", type=float, metavar="S", help="what one point may take")
    parser.add_argument("--retry", action="store_true", help="ask points again that had failed")


def command(arguments: argparse.Namespace) -> int:
    from axon.sweeps.describe import describe_sweep
    from axon.sweeps.scheduler import dask_executor
    from axon.sweeps.study_file import read_study

    study = read_study(arguments.study)
    check_writable(arguments.output)
    with dask_executor(arguments.scheduler) as executor:
        found = study.run(
            arguments.output,
            executor=executor,
            workers=arguments.workers,
            time_limit=arguments.time_limit,
            retry=arguments.retry,
            progress=not arguments.quiet,
        )
    facts = {"file": arguments.output, "computed": found.computed, "elapsed": found.elapsed}
    answer(
        arguments,
        {**facts, **describe_sweep(found)},
        f"{arguments.output}: {found}",
        *_reasons(found.failures),
    )
    return 0 if found.complete else INTERRUPTED


def _reasons(failures: dict[str, int]) -> list[str]:
    return [f"  {count} failed: {reason}" for reason, count in list(failures.items())[:3]]

"""`fresco jobs`: the jobs of a daemon, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fresco_cli.daemons import Tools
from fresco_cli.faults import WRONG_INPUT, CommandFailed
from fresco_cli.grouping import grouped
from fresco_cli.inputs import check_pictures
from fresco_cli.options import AnswerOptions, DaemonOptions, DestinationOptions, ReportingOptions
from fresco_cli.outcome import told
from fresco_cli.output import make_output, write_json, write_text
from fresco_cli.parsing import parse_keyframe_changes

if TYPE_CHECKING:
    from fresco_client import Job, SessionLike

app = typer.Typer(help="See, follow and steer the jobs of the daemon.")

JobId = Annotated[
    str, typer.Argument(metavar="ID", help="A job's id, or its beginning.", show_default=False)
]
JobIds = Annotated[
    list[str], typer.Argument(metavar="ID...", help="Ids, or their beginnings.", show_default=False)
]


@app.callback(invoke_without_command=True)
@grouped
def start(context: typer.Context, daemon: DaemonOptions, telling: AnswerOptions) -> None:
    """See, follow and steer the jobs of the daemon; without a command, list them."""
    if context.invoked_subcommand is None:
        _list(context, daemon, telling)
    elif daemon != DaemonOptions():
        raise typer.BadParameter("options go behind the command: fresco jobs list --data DIR")


@app.command("list")
@grouped
def list_jobs(context: typer.Context, daemon: DaemonOptions, telling: AnswerOptions) -> None:
    """List all jobs, the newest first."""
    _list(context, daemon, telling)


def _list(context: typer.Context, daemon: DaemonOptions, telling: AnswerOptions) -> None:
    with _asked(context, daemon, telling, start=False) as session:
        from fresco_cli.jobs_table import job_as_json, table

        found = list(session.jobs())
        if telling.as_json:
            write_json([job_as_json(job) for job in found], indent=2)
        else:
            write_text(table(found) if found else "There are no jobs.")


@app.command("show")
@grouped
def show(
    context: typer.Context, job_id: JobId, daemon: DaemonOptions, telling: AnswerOptions
) -> None:
    """Show all that is known of a job."""
    with _asked(context, daemon, telling, start=False) as session:
        from fresco_cli.jobs_table import facts, job_as_json

        job = find_job(session, job_id)
        if telling.as_json:
            write_json(job_as_json(job), indent=2)
        else:
            write_text(facts(job))


@app.command("cancel")
@grouped
def cancel(
    context: typer.Context, job_ids: JobIds, daemon: DaemonOptions, telling: AnswerOptions
) -> None:
    """End jobs for good."""
    _each(context, job_ids, daemon, telling, lambda session, job: session.cancel(job))


@app.command("pause")
@grouped
def pause(
    context: typer.Context, job_ids: JobIds, daemon: DaemonOptions, telling: AnswerOptions
) -> None:
    """Stop jobs so that they can go on; their device is free for others."""
    _each(context, job_ids, daemon, telling, lambda session, job: session.pause(job))


@app.command("resume")
@grouped
def resume(
    context: typer.Context, job_ids: JobIds, daemon: DaemonOptions, telling: AnswerOptions
) -> None:
    """Let paused jobs, and failed ones that can, go on."""
    _each(context, job_ids, daemon, telling, lambda session, job: session.resume(job))


@app.command("delete")
@grouped
def delete(
    context: typer.Context, job_ids: JobIds, daemon: DaemonOptions, telling: AnswerOptions
) -> None:
    """Forget jobs and remove all they have made."""
    _each(context, job_ids, daemon, telling, lambda session, job: session.delete(job))


@app.command("watch")
@grouped
def watch(
    context: typer.Context, job_id: JobId, daemon: DaemonOptions, telling: ReportingOptions
) -> None:
    """Follow a job until it ends; Ctrl-C ends the following, not the job."""
    tools: Tools = context.obj
    channel = make_output(as_json=telling.as_json, quiet=telling.quiet)
    with told(channel, debug=telling.debug), tools.session(daemon, channel) as session:
        from fresco_cli.collecting import watched

        job = find_job(session, job_id)
        channel.job(job.id)
        report = watched(session, job, channel)
        channel.finished(report)
        channel.result(f"Done. 'fresco jobs fetch {job.id} -o OUT' fetches the result.")


@app.command("fetch")
@grouped
def fetch(
    context: typer.Context,
    job_id: JobId,
    wanted: DestinationOptions,
    daemon: DaemonOptions,
    telling: ReportingOptions,
) -> None:
    """Fetch what a job has made; waits for it if need be."""
    tools: Tools = context.obj
    channel = make_output(as_json=telling.as_json, quiet=telling.quiet)
    with told(channel, debug=telling.debug), tools.session(daemon, channel) as session:
        from fresco_cli.collecting import collected

        job = find_job(session, job_id)
        channel.job(job.id)
        report = collected(session, job, wanted, channel, tools.engine)
        channel.finished(report)
        channel.result(f"{wanted.output}: the result of job {job.id}")


@app.command("reroll")
@grouped
def reroll(
    context: typer.Context,
    job_id: JobId,
    daemon: DaemonOptions,
    telling: ReportingOptions,
    keyframe: Annotated[
        list[str] | None,
        typer.Option(metavar="N[=TEXT]", help="A keyframe, and new words for it; may be repeated."),
    ] = None,
    seed: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N=SEED", help="A keyframe and its new seed, else drawn; may be repeated."
        ),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(metavar="N[=TEXT]", help="Another frame to make a keyframe; may be repeated."),
    ] = None,
    remove: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="A keyframe that is to be none; may be repeated."),
    ] = None,
    paint: Annotated[
        list[str] | None,
        typer.Option(metavar="N=FILE", help="A painted picture for a frame; may be repeated."),
    ] = None,
) -> None:
    """Change keyframes of a finished job, as a new job; what does not depend on them is kept."""
    tools: Tools = context.obj
    channel = make_output(as_json=telling.as_json, quiet=telling.quiet)
    with told(channel, debug=telling.debug):
        changes = parse_keyframe_changes(
            keyframe or (), seed or (), add or (), remove or (), paint or ()
        )
        check_pictures(one.picture_path for one in changes if one.picture_path)
        with tools.session(daemon, channel) as session:
            job = session.reroll(find_job(session, job_id).id, changes)
            channel.job(job.id)
            channel.note(f"'fresco jobs fetch {job.id} -o OUT' waits for it and fetches it.")
            channel.result(job.id)


@contextmanager
def _asked(
    context: typer.Context, daemon: DaemonOptions, telling: AnswerOptions, *, start: bool
) -> Iterator[SessionLike]:
    """A session whose errors are told."""
    tools: Tools = context.obj
    channel = make_output(as_json=telling.as_json, quiet=True)
    with told(channel, debug=telling.debug), tools.session(daemon, channel, start=start) as session:
        yield session


def _each(
    context: typer.Context,
    job_ids: list[str],
    daemon: DaemonOptions,
    telling: AnswerOptions,
    do: Callable[[SessionLike, str], Any],
) -> None:
    with _asked(context, daemon, telling, start=True) as session:
        # All are looked up before anything is done to one of them.
        found = [find_job(session, job_id) for job_id in job_ids]
        for job in found:
            changed: Job | None = do(session, job.id)
            state = "deleted" if changed is None else changed.state.value
            if telling.as_json:
                write_json({"id": job.id, "state": state})
            else:
                write_text(f"{job.id}: {state}")


def find_job(session: SessionLike, text: str) -> Job:
    """The job whose id begins with `text`.

    Raises:
        CommandFailed: there is none, or several.
    """
    found = [job for job in session.jobs() if text and job.id.startswith(text)]
    exact = [job for job in found if job.id == text]
    if len(found) != 1 and not exact:
        if not found:
            problem = f"there is no job {text!r}; 'fresco jobs' lists those there are"
            raise CommandFailed("JobNotFound", problem, WRONG_INPUT)
        ids = ", ".join(sorted(job.id for job in found)[:5])
        raise CommandFailed(
            "JobNotFound", f"{text!r} begins several ids: {ids}; give more of one", WRONG_INPUT
        )
    return (exact or found)[0]

"""JobService but for its stream: what is asked for, and every way it can be refused."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from fakes.caller import Caller, refused
from fakes.jobs import FRAMES, INFO, KEYFRAMES, PLAN, FakeJobs
from fresco.v1 import jobs_pb2, media_pb2, settings_pb2
from fresco_client.values import JobState, Stage, StageProgress
from fresco_server.errors import DaemonLimitReached
from grpc import StatusCode


@pytest.fixture
def request_(roots: Path) -> jobs_pb2.CreateJobRequest:
    """A request that is fine."""
    return jobs_pb2.CreateJobRequest(
        job_id="new",
        clip=media_pb2.ClipSource(path=str(roots / "clip.mp4")),
        settings=settings_pb2.RestyleSettings(prompt="ink"),
    )


def test_a_created_job_echoes_what_was_sent(
    caller: Caller, jobs: FakeJobs, request_: jobs_pb2.CreateJobRequest
) -> None:
    request_.settings.seed = 2**63 - 1
    request_.settings.strength = 0.5
    request_.settings.attention.spatial = False
    request_.settings.keyframe_prompts[3] = "more ink"
    request_.model.source = "owner/name"
    request_.output.kind = jobs_pb2.OUTPUT_KIND_LOSSLESS
    request_.output.container = jobs_pb2.CONTAINER_MKV
    request_.clip.frame_rate.numerator, request_.clip.frame_rate.denominator = 30000, 1001
    request_.title = "Shot 12"

    job = caller.jobs.CreateJob(request_).job

    assert job.settings == request_.settings
    assert job.model == request_.model
    assert job.output == request_.output
    assert job.clip == request_.clip
    assert (job.id, job.title, job.state) == ("new", "Shot 12", jobs_pb2.JOB_STATE_QUEUED)
    assert job.clip_info.frame_count == FRAMES
    assert list(job.clip_info.warnings) == ["it was filmed upright"]


def test_a_style_of_the_model_needs_no_prompt(
    caller: Caller, jobs: FakeJobs, request_: jobs_pb2.CreateJobRequest
) -> None:
    request_.settings.ClearField("prompt")
    request_.settings.style = "watercolour"

    caller.jobs.CreateJob(request_)

    settings = jobs.get("new").order.settings
    assert (settings["style"], settings["prompt"], settings["strength"]) == (
        "watercolour",
        "",
        None,
    )


def test_a_style_the_model_does_not_know_is_refused_with_those_there_are(
    caller: Caller, request_: jobs_pb2.CreateJobRequest
) -> None:
    request_.settings.style = "glitter"

    with pytest.raises(grpc.RpcError, match="use one of watercolour") as caught:
        caller.jobs.CreateJob(request_)

    assert caught.value.code() is StatusCode.INVALID_ARGUMENT


def test_an_order_holds_what_the_worker_needs(
    caller: Caller, jobs: FakeJobs, roots: Path, request_: jobs_pb2.CreateJobRequest
) -> None:
    request_.settings.preset = "draft"
    request_.settings.size = 640
    request_.output.kind = jobs_pb2.OUTPUT_KIND_FRAMES
    request_.device = "cpu"
    lora = str(roots / "lora.safetensors")
    request_.model.loras.add(path=lora)
    request_.model.loras.add(path=lora, weight=0.0)

    caller.jobs.CreateJob(request_)

    order = jobs.get("new").order
    assert order.clip == str(roots / "clip.mp4")
    assert (order.settings["preset"], order.settings["size"]) == ("draft", 640)
    assert (order.codec, order.device, order.title) == ("frames", "cpu", "clip.mp4")
    assert order.model.loras == ((lora, 1.0), (lora, 0.0))
    assert {state.path for state in order.file_states} == {lora}
    assert order.model.source is None


def test_an_upload_can_be_a_clip(
    caller: Caller, jobs: FakeJobs, request_: jobs_pb2.CreateJobRequest
) -> None:
    sha256 = hashlib.sha256(b"film").hexdigest()
    jobs.uploads.start(sha256, 4, "Sunset.MOV")
    jobs.uploads.chunk(sha256, 0, b"film")
    jobs.uploads.finish(sha256)
    request_.clip.upload_sha256 = sha256

    job = caller.jobs.CreateJob(request_).job

    assert job.title == "Sunset.MOV"
    assert jobs.get("new").order.upload == sha256
    assert jobs.get("new").order.clip.endswith(f"{sha256}.mov")


def test_a_mask_of_the_subject_is_a_clip_below_a_root(
    caller: Caller, jobs: FakeJobs, roots: Path, request_: jobs_pb2.CreateJobRequest
) -> None:
    (roots / "mask.mp4").symlink_to(roots / "clip.mp4")
    request_.settings.subject_mask = str(roots / "mask.mp4")

    caller.jobs.CreateJob(request_)

    order = jobs.get("new").order
    assert order.settings["subject_mask"] == str(roots / "clip.mp4")
    assert order.mask_upload is None
    assert order.clip_state == order.mask_state
    assert order.clip_state is not None
    assert order.clip_state.size_bytes == (roots / "clip.mp4").stat().st_size


def test_an_upload_can_be_a_mask_of_the_subject(
    caller: Caller, jobs: FakeJobs, request_: jobs_pb2.CreateJobRequest
) -> None:
    sha256 = hashlib.sha256(b"mask").hexdigest()
    jobs.uploads.start(sha256, 4, "mask.png")
    jobs.uploads.chunk(sha256, 0, b"mask")
    jobs.uploads.finish(sha256)
    request_.settings.subject_mask = f"upload:{sha256}"

    job = caller.jobs.CreateJob(request_).job

    order = jobs.get("new").order
    assert job.settings.subject_mask == f"upload:{sha256}"
    assert order.settings["subject_mask"].endswith(f"{sha256}.png")
    assert (order.upload, order.mask_upload) == (None, sha256)


def test_a_reference_picture_is_one_below_a_root_or_an_upload(
    caller: Caller, jobs: FakeJobs, roots: Path, request_: jobs_pb2.CreateJobRequest
) -> None:
    (roots / "look.png").write_bytes(b"look")
    (roots / "link.png").symlink_to(roots / "look.png")
    request_.settings.reference = str(roots / "link.png")
    request_.settings.reference_model = "ip-adapter-plus_sd15"

    caller.jobs.CreateJob(request_)

    order = jobs.get("new").order
    assert order.settings["reference"] == str(roots / "look.png")
    assert order.settings["reference_model"] == "ip-adapter-plus_sd15"
    assert order.reference_upload is None

    sha256 = hashlib.sha256(b"look").hexdigest()
    jobs.uploads.start(sha256, 4, "look.png")
    jobs.uploads.chunk(sha256, 0, b"look")
    jobs.uploads.finish(sha256)
    request_.settings.reference = f"upload:{sha256}"
    request_.job_id = "sent"

    caller.jobs.CreateJob(request_)

    order = jobs.get("sent").order
    assert order.settings["reference"].endswith(f"{sha256}.png")
    assert order.reference_upload == sha256


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        ({"reference": "ROOTS/no.png"}, StatusCode.NOT_FOUND, "there is no such picture"),
        ({"reference": "ROOTS"}, StatusCode.FAILED_PRECONDITION, "it is not a file"),
        ({"reference": "ROOTS/../x.png"}, StatusCode.PERMISSION_DENIED, "lies outside"),
        ({"reference": "look.png"}, StatusCode.INVALID_ARGUMENT, "settings.reference: 'look.png'"),
        ({"reference": f"upload:{64 * 'a'}"}, StatusCode.NOT_FOUND, "upload"),
        ({"reference": ""}, StatusCode.INVALID_ARGUMENT, "it is empty"),
        ({"reference_model": "/x/a.safetensors"}, StatusCode.PERMISSION_DENIED, "lies outside"),
        ({"reference_model": "ROOTS/a.bin"}, StatusCode.FAILED_PRECONDITION, "can hold programs"),
        ({"reference_model": "ROOTS/a.safetensors"}, StatusCode.NOT_FOUND, "there is no such"),
        ({"reference_model": "a/b"}, StatusCode.INVALID_ARGUMENT, "is not an absolute path"),
    ],
)
def test_a_reference_that_cannot_be_used_is_refused_by_its_setting(
    caller: Caller,
    roots: Path,
    request_: jobs_pb2.CreateJobRequest,
    changes: dict[str, str],
    code: StatusCode,
    sentence: str,
) -> None:
    ((field, text),) = changes.items()
    setattr(request_.settings, field, text.replace("ROOTS", str(roots)))

    with pytest.raises(grpc.RpcError, match=sentence) as caught:
        caller.jobs.CreateJob(request_)

    assert caught.value.code() is code
    trailing: Any = caught.value.trailing_metadata()
    assert dict(trailing)["fresco-field"] == field


@pytest.mark.parametrize(
    ("mask", "code", "sentence"),
    [
        ("ROOTS/broken.mp4", StatusCode.FAILED_PRECONDITION, "it is not a video"),
        ("ROOTS/crash.mp4", StatusCode.FAILED_PRECONDITION, "made the decoder crash"),
        ("ROOTS/nothing.mp4", StatusCode.NOT_FOUND, "there is no such file"),
        ("ROOTS/../secret.mp4", StatusCode.PERMISSION_DENIED, "lies outside the folders"),
        ("mask.mp4", StatusCode.INVALID_ARGUMENT, r"settings\.subject_mask: 'mask\.mp4' is not"),
        ("upload:1234", StatusCode.INVALID_ARGUMENT, "64 lower-case"),
        (f"upload:{64 * 'a'}", StatusCode.NOT_FOUND, "upload"),
    ],
)
def test_a_mask_that_cannot_be_used_is_refused_by_its_setting(
    caller: Caller,
    roots: Path,
    request_: jobs_pb2.CreateJobRequest,
    mask: str,
    code: StatusCode,
    sentence: str,
) -> None:
    request_.settings.subject_mask = mask.replace("ROOTS", str(roots))

    with pytest.raises(grpc.RpcError, match=sentence) as caught:
        caller.jobs.CreateJob(request_)

    assert caught.value.code() is code
    trailing: Any = caught.value.trailing_metadata()
    assert dict(trailing)["fresco-field"] == "subject_mask"


def test_the_same_request_answers_with_the_job_even_when_the_clip_has_gone(
    caller: Caller, roots: Path, request_: jobs_pb2.CreateJobRequest
) -> None:
    first = caller.jobs.CreateJob(request_).job
    (roots / "clip.mp4").unlink()

    second = caller.jobs.CreateJob(request_).job

    assert second == first


def test_another_request_with_the_same_id_is_refused(
    caller: Caller, request_: jobs_pb2.CreateJobRequest
) -> None:
    caller.jobs.CreateJob(request_)
    request_.settings.seed = 1

    with refused(StatusCode.ALREADY_EXISTS, "JOB_EXISTS"):
        caller.jobs.CreateJob(request_)


def _changed(request: jobs_pb2.CreateJobRequest, roots: Path, **changes: Any) -> Any:
    other = jobs_pb2.CreateJobRequest()
    other.CopyFrom(request)
    for path, value in changes.items():
        *parts, name = path.split("__")
        message: Any = other
        for part in parts:
            message = getattr(message, part)
        setattr(message, name, value(roots) if callable(value) else value)
    return other


_INVALID = StatusCode.INVALID_ARGUMENT
_UNMET = StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"job_id": ""}, _INVALID, "BAD_REQUEST"),
        ({"job_id": "a b"}, _INVALID, "BAD_REQUEST"),
        ({"job_id": "../x"}, _INVALID, "BAD_REQUEST"),
        ({"job_id": "x" * 65}, _INVALID, "BAD_REQUEST"),
        ({"job_id": "ä"}, _INVALID, "BAD_REQUEST"),
        ({"job_id": "x\n"}, _INVALID, "BAD_REQUEST"),
        ({"title": "x" * 201}, _INVALID, "BAD_REQUEST"),
        ({"device": "x" * 65}, _INVALID, "BAD_REQUEST"),
        ({"output__kind": 77}, _INVALID, "BAD_REQUEST"),
        ({"output__container": -1}, _INVALID, "BAD_REQUEST"),
        ({"settings__prompt": "  "}, _INVALID, "INVALID_SETTINGS"),
        ({"settings__prompt": "x" * 5000}, _INVALID, "INVALID_SETTINGS"),
        ({"settings__preset": "nope"}, _INVALID, "INVALID_SETTINGS"),
        ({"settings__stop": FRAMES + 1}, _INVALID, "INVALID_SETTINGS"),
        ({"settings__start": FRAMES}, _INVALID, "INVALID_SETTINGS"),
        ({"clip__path": "clip.mp4"}, _INVALID, "BAD_REQUEST"),
        ({"clip__upload_sha256": "x"}, _INVALID, "BAD_REQUEST"),
        ({"clip__upload_sha256": "0" * 64}, StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND"),
        ({"clip__frame_rate__numerator": 1}, _INVALID, "BAD_REQUEST"),
        ({"model__source": "no id at all"}, _INVALID, "BAD_REQUEST"),
        ({"device": "cuda:7"}, _UNMET, "DEVICE_UNKNOWN"),
        ({"clip__path": "/etc/passwd"}, StatusCode.PERMISSION_DENIED, "FORBIDDEN"),
        ({"clip__path": lambda root: str(root / "no")}, StatusCode.NOT_FOUND, "CLIP_NOT_FOUND"),
        ({"clip__path": lambda root: str(root / "broken.mp4")}, _UNMET, "CLIP_UNREADABLE"),
        ({"clip__path": lambda root: str(root / "crash.mp4")}, _UNMET, "CLIP_UNREADABLE"),
        ({"model__source": lambda root: str(root / "old.ckpt")}, _UNMET, "MODEL_UNUSABLE"),
        ({"model__source": lambda root: str(root / "x")}, StatusCode.NOT_FOUND, "MODEL_NOT_FOUND"),
        ({"model__source": "/etc"}, StatusCode.PERMISSION_DENIED, "FORBIDDEN"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_request_that_cannot_be_met_is_refused(
    caller: Caller,
    jobs: FakeJobs,
    roots: Path,
    request_: jobs_pb2.CreateJobRequest,
    changes: dict[str, Any],
    code: StatusCode,
    reason: str,
) -> None:
    with refused(code, reason):
        caller.jobs.CreateJob(_changed(request_, roots, **changes))

    assert not jobs.list()


@pytest.mark.parametrize("field", ["clip", "settings"])
def test_a_request_without_clip_or_settings_is_refused(
    caller: Caller, request_: jobs_pb2.CreateJobRequest, field: Any
) -> None:
    request_.ClearField(field)

    with refused(StatusCode.INVALID_ARGUMENT):
        caller.jobs.CreateJob(request_)


def test_a_full_queue_refuses_jobs(
    caller: Caller, jobs: FakeJobs, request_: jobs_pb2.CreateJobRequest
) -> None:
    for index in range(jobs.settings.limits.queued_jobs):
        jobs.put(f"job{index}")

    with refused(StatusCode.RESOURCE_EXHAUSTED, "LIMIT_REACHED"):
        caller.jobs.CreateJob(request_)


def test_a_daemon_that_shuts_down_takes_no_jobs(
    caller: Caller, jobs: FakeJobs, request_: jobs_pb2.CreateJobRequest
) -> None:
    jobs.close()

    with refused(StatusCode.UNAVAILABLE, "SHUTTING_DOWN"):
        caller.jobs.CreateJob(request_)


def test_a_request_with_too_much_text_is_refused(
    caller: Caller, request_: jobs_pb2.CreateJobRequest
) -> None:
    for index in range(1000):
        request_.settings.keyframe_prompts[index] = "x" * 300

    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        caller.jobs.CreateJob(request_)


def test_a_job_tells_all_that_is_known_of_it(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put(
        "x",
        JobState.TRANSLATING,
        progress=(StageProgress(stage=Stage.TRANSLATING, done=2.5, total=10),),
        remaining_s=12.25,
        plan=PLAN,
        warnings=("a warning", "caf\udce9"),
        ready_keyframes=(0, 8),
        ready_frames=3,
    )

    job = caller.jobs.GetJob(jobs_pb2.GetJobRequest(job_id="x")).job

    assert job.progress[0].stage == jobs_pb2.STAGE_TRANSLATING
    assert (job.progress[0].done, job.progress[0].total) == (2.5, 10)
    assert job.remaining.ToTimedelta().total_seconds() == 12.25
    assert list(job.plan.keyframes) == list(KEYFRAMES)
    assert list(job.warnings) == ["a warning", "caf?"]
    assert (list(job.ready_keyframes), job.ready_frames, job.last_sequence) == ([0, 8], 3, 1)
    assert not job.HasField("result")
    assert not job.HasField("failure")


@pytest.mark.parametrize("remaining", [None, float("inf"), float("nan")])
def test_a_time_nobody_knows_is_left_out(
    caller: Caller, jobs: FakeJobs, remaining: float | None
) -> None:
    jobs.put("x", remaining_s=remaining)

    job = caller.jobs.GetJob(jobs_pb2.GetJobRequest(job_id="x")).job

    assert not job.HasField("remaining")


def test_a_finished_job_has_its_result_and_a_failed_one_its_failure(
    caller: Caller, jobs: FakeJobs
) -> None:
    jobs.put("good")
    jobs.finish("good", b"film", {"metrics": {"warp": float("nan")}})
    jobs.put("bad")
    jobs.fail("bad", can_resume=True)

    good = caller.jobs.GetJob(jobs_pb2.GetJobRequest(job_id="good")).job
    bad = caller.jobs.GetJob(jobs_pb2.GetJobRequest(job_id="bad")).job

    assert good.result.sha256 == hashlib.sha256(b"film").hexdigest()
    assert good.result.report_json == '{"metrics": {"warp": null}}'
    assert good.disk_bytes == 4
    assert (bad.failure.reason, bad.failure.can_resume) == ("DISK_FULL", True)


def test_a_report_of_more_than_a_mebibyte_is_left_out(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x")
    jobs.finish("x", b"film", {"keyframes": list(range(300_000))})

    job = caller.jobs.GetJob(jobs_pb2.GetJobRequest(job_id="x")).job

    assert job.result.size_bytes == 4
    assert job.result.report_json == ""


def _pages(caller: Caller, **asked: Any) -> list[list[str]]:
    pages: list[list[str]] = []
    token = ""
    while not pages or token:
        answer = caller.jobs.ListJobs(jobs_pb2.ListJobsRequest(page_token=token, **asked))
        pages.append([job.id for job in answer.jobs])
        token = answer.next_page_token
    return pages


def test_jobs_come_in_pages_the_newest_first(caller: Caller, jobs: FakeJobs) -> None:
    for index in range(5):
        jobs.put(f"job{index}", created=float(index // 2))  # Some were made at the same time.

    assert _pages(caller, page_size=2) == [["job4", "job3"], ["job2", "job1"], ["job0"]]
    assert _pages(caller, page_size=5) == [["job4", "job3", "job2", "job1", "job0"]]
    assert _pages(caller) == [["job4", "job3", "job2", "job1", "job0"]]


def test_jobs_can_be_chosen_by_their_states(caller: Caller, jobs: FakeJobs) -> None:
    for state in JobState:
        jobs.put(state.name.lower(), state)

    pages = _pages(caller, states=[jobs_pb2.JOB_STATE_DONE, jobs_pb2.JOB_STATE_PAUSED])

    assert sorted(pages[0]) == ["done", "paused"]


def test_a_page_of_large_jobs_fits_a_message(caller: Caller, jobs: FakeJobs) -> None:
    prompts = {str(index): "x" * 3000 for index in range(80)}
    for index in range(20):
        job = jobs.put(f"job{index}")
        sent = {"settings": {"prompt": "ink", "keyframe_prompts": prompts}}
        jobs.change(job.id, order=replace(job.order, request=sent))

    pages = _pages(caller, page_size=20)

    assert len(pages) > 1
    assert sorted(job_id for page in pages for job_id in page) == sorted(
        f"job{index}" for index in range(20)
    )


@pytest.mark.parametrize(
    "asked",
    [
        {"page_size": -1},
        {"page_size": 201},
        {"page_token": "nonsense"},
        {"page_token": "ä"},
        {"page_token": "WzFd"},
        {"page_token": "WyJ4IiwgIngiXQ=="},
        {"page_token": "W0luZmluaXR5LCAieCJd"},
        {"page_token": "WzEsICIuLi94Il0="},
        {"states": [0]},
        {"states": [99]},
    ],
    ids=str,
)
def test_a_list_that_cannot_be_is_refused(caller: Caller, asked: dict[str, Any]) -> None:
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        caller.jobs.ListJobs(jobs_pb2.ListJobsRequest(**asked))


def test_jobs_are_paused_resumed_cancelled_and_deleted(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x", JobState.TRANSLATING)

    paused = caller.jobs.PauseJob(jobs_pb2.PauseJobRequest(job_id="x")).job
    resumed = caller.jobs.ResumeJob(jobs_pb2.ResumeJobRequest(job_id="x")).job
    cancelled = caller.jobs.CancelJob(jobs_pb2.CancelJobRequest(job_id="x")).job
    caller.jobs.DeleteJob(jobs_pb2.DeleteJobRequest(job_id="x"))

    assert paused.state == jobs_pb2.JOB_STATE_PAUSED
    assert resumed.state == jobs_pb2.JOB_STATE_QUEUED
    assert cancelled.state == jobs_pb2.JOB_STATE_CANCELLED
    with refused(StatusCode.NOT_FOUND, "JOB_NOT_FOUND"):
        caller.jobs.GetJob(jobs_pb2.GetJobRequest(job_id="x"))


CALLS: dict[str, Any] = {
    "get": lambda caller, job_id: caller.jobs.GetJob(jobs_pb2.GetJobRequest(job_id=job_id)),
    "pause": lambda caller, job_id: caller.jobs.PauseJob(jobs_pb2.PauseJobRequest(job_id=job_id)),
    "resume": lambda caller, job_id: caller.jobs.ResumeJob(
        jobs_pb2.ResumeJobRequest(job_id=job_id)
    ),
    "cancel": lambda caller, job_id: caller.jobs.CancelJob(
        jobs_pb2.CancelJobRequest(job_id=job_id)
    ),
    "delete": lambda caller, job_id: caller.jobs.DeleteJob(
        jobs_pb2.DeleteJobRequest(job_id=job_id)
    ),
    "watch": lambda caller, job_id: list(
        caller.jobs.WatchJob(jobs_pb2.WatchJobRequest(job_id=job_id))
    ),
    "reroll": lambda caller, job_id: caller.jobs.RerollKeyframes(
        jobs_pb2.RerollKeyframesRequest(
            job_id=job_id, new_job_id="y", changes=[jobs_pb2.KeyframeChange(index=0)]
        )
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_job_that_is_not_there_is_not_found(caller: Caller, name: str) -> None:
    with refused(StatusCode.NOT_FOUND, "JOB_NOT_FOUND"):
        CALLS[name](caller, "nobody")


@pytest.mark.parametrize("job_id", ["", "a/b", "x" * 100])
@pytest.mark.parametrize("name", CALLS)
def test_a_malformed_id_is_refused(caller: Caller, name: str, job_id: str) -> None:
    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        CALLS[name](caller, job_id)


@pytest.mark.parametrize("name", ["pause", "resume", "cancel"])
def test_a_done_job_cannot_be_changed(caller: Caller, jobs: FakeJobs, name: str) -> None:
    jobs.put("x")
    jobs.finish("x", b"film")

    with refused(StatusCode.FAILED_PRECONDITION, "NOT_POSSIBLE"):
        CALLS[name](caller, "x")


def test_a_full_queue_resumes_nothing(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x", JobState.PAUSED)
    jobs.refusal = DaemonLimitReached("the queue is full; wait until jobs have ended")

    with refused(StatusCode.RESOURCE_EXHAUSTED, "LIMIT_REACHED"):
        CALLS["resume"](caller, "x")


def _reroll(*changes: jobs_pb2.KeyframeChange, job_id: str = "y") -> Any:
    return jobs_pb2.RerollKeyframesRequest(job_id="x", new_job_id=job_id, changes=changes)


def test_a_reroll_is_a_new_job_that_shows_its_new_seeds_and_prompts(
    caller: Caller, jobs: FakeJobs
) -> None:
    jobs.put("x", plan=PLAN)
    jobs.finish("x", b"film")
    request = _reroll(
        jobs_pb2.KeyframeChange(index=8, seed=5),
        jobs_pb2.KeyframeChange(index=16, prompt="more ink"),
    )

    job = caller.jobs.RerollKeyframes(request).job
    again = caller.jobs.RerollKeyframes(request).job

    assert again == job
    assert (job.id, job.parent_id) == ("y", "x")
    assert job.settings.prompt == "ink"
    assert dict(job.settings.keyframe_seeds) == {8: 5, 16: 99}
    assert dict(job.settings.keyframe_prompts) == {16: "more ink"}
    assert job.clip.path == "/clips/clip.mp4"


def test_a_keyframe_that_is_removed_loses_what_was_chosen_for_it(
    caller: Caller, jobs: FakeJobs
) -> None:
    order = jobs.put("x", plan=PLAN).order
    sent = {"settings": {"prompt": "ink", "keyframe_prompts": {"8": "more ink"}}}
    jobs.change("x", order=replace(order, request=sent))
    jobs.finish("x", b"film")
    removal = jobs_pb2.KeyframeChange(index=8, kind=jobs_pb2.KEYFRAME_CHANGE_KIND_REMOVE)

    job = caller.jobs.RerollKeyframes(_reroll(removal)).job

    assert dict(job.settings.keyframe_prompts) == {}


@pytest.mark.parametrize(
    "request_",
    [
        _reroll(),
        _reroll(jobs_pb2.KeyframeChange(index=8), jobs_pb2.KeyframeChange(index=8)),
        _reroll(jobs_pb2.KeyframeChange(index=9)),
        _reroll(jobs_pb2.KeyframeChange(index=-8)),
        _reroll(jobs_pb2.KeyframeChange(index=8, seed=-1)),
        _reroll(jobs_pb2.KeyframeChange(index=8, prompt="x" * 5000)),
        _reroll(jobs_pb2.KeyframeChange(index=8), job_id="a b"),
        _reroll(jobs_pb2.KeyframeChange(index=8, kind=77)),  # pyright: ignore[reportArgumentType]
        _reroll(jobs_pb2.KeyframeChange(index=8, kind=jobs_pb2.KEYFRAME_CHANGE_KIND_ADD)),
        _reroll(jobs_pb2.KeyframeChange(index=5000, kind=jobs_pb2.KEYFRAME_CHANGE_KIND_ADD)),
        _reroll(jobs_pb2.KeyframeChange(index=9, kind=jobs_pb2.KEYFRAME_CHANGE_KIND_REMOVE)),
        _reroll(jobs_pb2.KeyframeChange(index=0, kind=jobs_pb2.KEYFRAME_CHANGE_KIND_REMOVE)),
        _reroll(
            jobs_pb2.KeyframeChange(index=8, kind=jobs_pb2.KEYFRAME_CHANGE_KIND_REMOVE, seed=1)
        ),
        _reroll(jobs_pb2.KeyframeChange(index=8, kind=jobs_pb2.KEYFRAME_CHANGE_KIND_REPLACE)),
        _reroll(jobs_pb2.KeyframeChange(index=8, picture_path="/clips/painted.png")),
        _reroll(
            jobs_pb2.KeyframeChange(
                index=8, kind=jobs_pb2.KEYFRAME_CHANGE_KIND_REPLACE, picture_path="painted.png"
            )
        ),
    ],
    ids=[
        *("none", "twice", "no keyframe", "negative", "seed", "prompt", "id", "kind"),
        *("added twice", "added outside", "removed none", "removed end", "removed with seed"),
        *("no picture", "picture for another", "no absolute path"),
    ],
)
def test_a_reroll_of_what_cannot_be_is_refused(
    caller: Caller, jobs: FakeJobs, request_: jobs_pb2.RerollKeyframesRequest
) -> None:
    jobs.put("x", plan=PLAN)
    jobs.finish("x", b"film")

    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        caller.jobs.RerollKeyframes(request_)


def test_a_reroll_of_more_text_than_is_kept_of_a_request_is_refused(
    caller: Caller, jobs: FakeJobs
) -> None:
    jobs.put("x", plan=PLAN)
    jobs.finish("x", b"film")
    long = "\U0001f3f3" * 4000
    changes = [jobs_pb2.KeyframeChange(index=index, prompt=long) for index in range(20)]

    with refused(StatusCode.INVALID_ARGUMENT, "BAD_REQUEST"):
        caller.jobs.RerollKeyframes(_reroll(*changes))


def test_a_job_that_is_too_large_to_be_received_is_listed_without_its_settings(
    caller: Caller, jobs: FakeJobs
) -> None:
    order = jobs.put("x", plan=PLAN).order
    prompts = {str(index): "x" * 4000 for index in range(1200)}
    sent = {"settings": {"prompt": "ink", "keyframe_prompts": prompts}}
    jobs.change("x", order=replace(order, request=sent))

    listed = caller.jobs.ListJobs(jobs_pb2.ListJobsRequest())
    job = caller.jobs.GetJob(jobs_pb2.GetJobRequest(job_id="x")).job

    assert listed.ByteSize() < 4 << 20
    assert [one.id for one in listed.jobs] == ["x"]
    assert not job.HasField("settings")
    assert job.HasField("plan")


def test_only_done_jobs_can_be_rerolled(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x", JobState.TRANSLATING, plan=PLAN)

    with refused(StatusCode.FAILED_PRECONDITION, "NOT_POSSIBLE"):
        caller.jobs.RerollKeyframes(_reroll(jobs_pb2.KeyframeChange(index=8)))


def test_a_reroll_under_a_taken_id_is_refused(caller: Caller, jobs: FakeJobs) -> None:
    jobs.put("x", plan=PLAN)
    jobs.finish("x", b"film")
    jobs.put("y")

    with refused(StatusCode.ALREADY_EXISTS, "JOB_EXISTS"):
        caller.jobs.RerollKeyframes(_reroll(jobs_pb2.KeyframeChange(index=8)))


def test_a_clip_of_too_many_frames_is_refused(
    caller: Caller, jobs: FakeJobs, request_: jobs_pb2.CreateJobRequest, monkeypatch: Any
) -> None:
    monkeypatch.setitem(INFO, "frame_count", jobs.settings.limits.clip_frames + 2)

    with refused(StatusCode.RESOURCE_EXHAUSTED, "CLIP_TOO_LONG"):
        caller.jobs.CreateJob(request_)

    request_.settings.stop = 10
    assert caller.jobs.CreateJob(request_).job.id == "new"

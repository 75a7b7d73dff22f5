import pytest
import torch
from fresco_training import noising
from fresco_training.networks import build_scheduler


@pytest.fixture(scope="module")
def schedule() -> noising.Schedule:
    return noising.Schedule.of(build_scheduler())


def test_prediction_inverts_velocity_whatever_the_mixture(schedule: noising.Schedule) -> None:
    generator = torch.Generator().manual_seed(0)
    styled, photo, noise = torch.randn(3, 5, 16, 4, 4, generator=generator)
    times = torch.tensor([20, 200, 400, 700, 999])
    mixture = torch.lerp(styled, photo, 0.6)

    noisy = noising.noisy_latents(schedule, mixture, noise, times)
    velocities = noising.velocity(schedule, noisy, styled, times)

    recovered = noising.prediction(schedule, noisy, velocities, times)
    torch.testing.assert_close(recovered, styled, atol=1e-4, rtol=1e-4)


def test_velocity_agrees_with_diffusers_when_nothing_is_mixed_in(
    schedule: noising.Schedule,
) -> None:
    generator = torch.Generator().manual_seed(1)
    clean, noise = torch.randn(2, 3, 16, 4, 4, generator=generator)
    times = torch.tensor([50, 500, 900])
    scheduler = build_scheduler()

    noisy = noising.noisy_latents(schedule, clean, noise, times)

    torch.testing.assert_close(noisy, scheduler.add_noise(clean, noise, times))
    torch.testing.assert_close(
        noising.velocity(schedule, noisy, clean, times),
        scheduler.get_velocity(clean, noise, times),
        atol=1e-4,
        rtol=1e-4,
    )


def test_the_photo_fades_as_the_signal_grows(schedule: noising.Schedule) -> None:
    torch.manual_seed(2)
    late, early = (torch.full((4000,), t) for t in (800, 100))

    shares = [noising.remaining_photo(schedule, times) for times in (late, early)]

    assert all(share.min() >= 0.0 and share.max() <= 1.0 for share in shares)
    assert shares[0].mean() > 3 * shares[1].mean()


def test_times_stay_within_the_schedule_and_mostly_where_restyling_passes() -> None:
    torch.manual_seed(3)

    times = noising.random_times(5000)

    assert times.min() >= 1
    assert times.max() <= 999
    assert 0.85 < (times < 860).float().mean() < 0.95


def test_loss_weights_bound_what_small_noise_counts(schedule: noising.Schedule) -> None:
    weights = noising.loss_weights(schedule, torch.tensor([20, 300, 900])).flatten()

    snr = (schedule.signal[20] / schedule.noise[20]) ** 2
    torch.testing.assert_close(weights[0] * (1 + snr), torch.tensor(5.0))
    assert weights[2] == 1.0

from fresco_engine.diffusion.prompting.encoding import MixedPrompt
from fresco_engine.settings import RestyleSettings
from fresco_engine.translation import prompt_of


def test_a_style_adds_its_words_to_the_prompt() -> None:
    settings = RestyleSettings(prompt="a dog", style="oil", style_prompt="oil painting")

    assert prompt_of(settings, 0) == "a dog, oil painting"


def test_styles_that_make_a_whole_are_mixed_by_their_shares() -> None:
    shares = {"oil painting": 0.7, "neon": 0.3}
    settings = RestyleSettings(
        prompt="a dog", style="mix", style_prompt=shares, keyframe_prompts={8: "at sea"}
    )

    assert prompt_of(settings, 0) == MixedPrompt(
        (("a dog, oil painting", 0.7), ("a dog, neon", 0.3))
    )
    assert prompt_of(settings, 8) == MixedPrompt(
        (("a dog, oil painting, at sea", 0.7), ("a dog, neon, at sea", 0.3))
    )


def test_a_pushed_style_goes_away_from_the_prompt_without_it() -> None:
    settings = RestyleSettings(prompt="a dog", style="oil:1.5", style_prompt={"oil": 1.5})

    assert prompt_of(settings, 0) == MixedPrompt((("a dog, oil", 1.5), ("a dog", -0.5)))

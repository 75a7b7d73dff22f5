"""The diffusion side: models, conditions, guided attention, feature optimisation, sampling."""

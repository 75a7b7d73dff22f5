"""Methods that FRESCO is compared with, each written anew from its paper over the same sampler.

They differ from the papers in what the comparison holds alike for all: network, noise, schedule,
ControlNet and the flow, which is the engine's. None of them changes the engine: attention
processors are exchanged and PyTorch's own hooks used, for as long as a translation lasts.
"""

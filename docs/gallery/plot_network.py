"""The network of a pipeline
============================

The stages of a network with their channels and the sizes of their maps, drawn from what the network computes. A
number in a black disc marks something unusual, and a sentence says what it is. Nothing is trained.
"""

from llmseg import zoo
from llmseg.figures import draw_network

figure = draw_network("gpt-4o")

# %%
# The same network after its skips are no longer cut to a smaller size:

figure = draw_network(zoo.get("gpt-4o").recipe.change("net.mismatch", "resize"))

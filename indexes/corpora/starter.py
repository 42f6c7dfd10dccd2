"""The starter library: what a fresh installation reads on its first run.

About 1,000 passages, which two cores encode in a minute: the description of every installed
package, cut short, and the docstrings of modules that explain things people ask about. Chosen by
reading them; all come with packages that the assistant itself needs.
"""

from __future__ import annotations

from indexes.corpora.blocks import names

STARTER_WORDS = 220
"""About how many words of each description are read."""

_NETWORKX_ALGORITHMS = names(
    "bipartite.basic bridges centrality.betweenness "
    "centrality.closeness centrality.degree_alg centrality.eigenvector centrality.katz clique "
    "cluster coloring.greedy_coloring community.label_propagation community.leiden "
    "community.louvain community.modularity_max components.connected "
    "components.strongly_connected core cycles distance_measures euler link_analysis.hits_alg "
    "link_analysis.pagerank_alg link_prediction matching shortest_paths.astar "
    "shortest_paths.generic smallworld tree.mst"
)
_MODULES = names(
    "dateutil.easter dateutil.relativedelta dateutil.rrule "
    "networkx.generators.random_graphs networkx.generators.social "
    "tenacity.wait"
) | {f"networkx.algorithms.{name}" for name in _NETWORKX_ALGORITHMS}


def is_starter_module(module: str) -> bool:
    """Whether the docstrings of a module are part of the starter library."""
    return module in _MODULES

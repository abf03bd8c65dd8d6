"""Cox's partial likelihood on plain arrays: ties by Efron or Breslow, with or without Firth's penalty."""

from __future__ import annotations

import numpy as np

from her2radiomics.statistics._check import BoolArray, FloatArray


class Partial:
    """Log partial likelihood of coefficients; with Firth's penalty plus half the log-determinant of its information.

    Each event has a row of ``risk``, shape (events, n): 1 for those at risk at its time. Of d events at one time Efron's
    k-th row (k = 0 … d − 1) gives those with the event the weight 1 − k/d; Breslow's gives 1.

    Parameters
    ----------
    x
        Terms, shape (n, p), best standardised.
    time, seen
        Follow-up and event, shape (n,).
    ties
        ``efron`` or ``breslow``.
    firth
        Whether to penalise.
    risk
        The risk matrix, where another than that of ``ties`` is wanted.

    References
    ----------
    Efron, JASA 72 (1977) 557–565. Heinze & Schemper, Biometrics 57 (2001) 114–119.
    """

    def __init__(
        self,
        x: FloatArray,
        time: FloatArray,
        seen: BoolArray,
        ties: str = "efron",
        *,
        firth: bool = False,
        risk: FloatArray | None = None,
    ) -> None:
        """Build the risk matrix."""
        self.x, self.time, self.seen, self.firth = x, time, seen, firth
        at = time[seen]
        if risk is None:
            risk = (time >= at[:, None]).astype(float)
            if ties == "efron":
                died = seen & (time == at[:, None])
                earlier = np.tril(at == at[:, None], -1).sum(axis=1)
                risk -= died * (earlier / died.sum(axis=1))[:, None]
        self.risk = risk
        self._open = np.where(risk > 0, 0.0, -np.inf)

    def _shares(self, beta: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """Share of each row in the hazard of its risk set, mean terms there, and the log-likelihood."""
        linear = self.x @ beta
        top = (self._open + linear).max(axis=1)
        share = self.risk * np.exp(self._open + linear - top[:, None])
        total = share.sum(axis=1)
        share /= total[:, None]
        return share, share @ self.x, float((linear[self.seen] - top - np.log(total)).sum())

    def _information(self, share: FloatArray, mean: FloatArray) -> FloatArray:
        return np.asarray(self.x.T @ (self.x * share.sum(axis=0)[:, None]) - mean.T @ mean, dtype=float)

    def information(self, beta: FloatArray) -> FloatArray:
        """Observed information, shape (p, p)."""
        return self._information(*self._shares(beta)[:2])

    def value(self, beta: FloatArray) -> float:
        """Return the (penalised) log partial likelihood."""
        share, mean, plain = self._shares(beta)
        if not self.firth:
            return plain
        sign, logarithm = np.linalg.slogdet(self._information(share, mean))
        return plain + logarithm / 2 if sign > 0 else float("-inf")

    def score(self, beta: FloatArray) -> FloatArray:
        """First derivative of :meth:`value`, shape (p,)."""
        share, mean, _ = self._shares(beta)
        score = self.x[self.seen].sum(axis=0) - mean.sum(axis=0)
        if not self.firth:
            return np.asarray(score, dtype=float)
        # half the trace of I⁻¹ ∂I/∂β: third central moments of the risk sets, in the metric of I⁻¹
        inverse = np.linalg.inv(self._information(share, mean))
        turned = self.x @ inverse
        within = share @ np.einsum("ij,ij->i", turned, self.x)
        cross = np.einsum("si,ij,ik->sjk", share, self.x, turned, optimize=True)
        third = (share * np.einsum("ij,ij->i", turned, self.x)).sum(axis=0) @ self.x - within @ mean
        third += 2 * np.einsum("s,sj->j", np.einsum("sj,jk,sk->s", mean, inverse, mean), mean)
        third -= 2 * np.einsum("sjk,sk->j", cross, mean)
        return np.asarray(score + third / 2, dtype=float)

    def step(self, beta: FloatArray, free: BoolArray) -> FloatArray:
        """Return Newton's step of the free coefficients, with the information of the plain likelihood."""
        return np.asarray(np.linalg.solve(self.information(beta)[np.ix_(free, free)], self.score(beta)[free]))

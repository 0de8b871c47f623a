import type {
  adjustP,
  chiSquareCounts,
  evidentlyDefault,
  jensenShannon,
  klDivergence,
  ksTest,
  peerFigure,
  wasserstein,
} from '../../src/monitor.ts';

/** What test/fixtures/make_drift.py prints. */
export interface PeerVectors {
  readonly by: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly kstwo: readonly (readonly [n: number, d: number, p: number])[];
  readonly shares: readonly { p: number[]; q: number[]; kl: number; js: number; js2: number }[];
  readonly tables: readonly { table: [number[], number[]]; chi2: number; df: number; p: number }[];
  readonly adjust: { readonly p: number[]; readonly 'benjamini-hochberg': number[] };
  readonly numeric: readonly PeerFrame[];
  readonly categorical: readonly PeerFrame[];
}

interface PeerFrame {
  readonly shape: string;
  readonly reference: number[];
  readonly current: number[];
  readonly evidently: Readonly<Record<string, { value: number; drifted: boolean }>>;
  readonly nannyml: Readonly<Record<string, { value: number; drifted: boolean }>>;
  readonly default: string;
  readonly scipy?: { d: number; exact: number; asymp: number; wasserstein: number };
}

interface Functions {
  readonly adjustP: typeof adjustP;
  readonly chiSquareCounts: typeof chiSquareCounts;
  readonly evidentlyDefault: typeof evidentlyDefault;
  readonly jensenShannon: typeof jensenShannon;
  readonly klDivergence: typeof klDivergence;
  readonly ksTest: typeof ksTest;
  readonly peerFigure: typeof peerFigure;
  readonly wasserstein: typeof wasserstein;
}

/** Figures that are not those of the other programs, to 1e-9 of their size: they sum in another order, and SciPy's tails agree among themselves to 1e-11. */
export function checkPeers(given: PeerVectors, own: Functions): string[] {
  const wrong: string[] = [];
  const same = (what: string, got: number, wanted: number): void => {
    if (!(Math.abs(got - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted)))) wrong.push(`${what}: ${got} for ${wanted}`);
  };
  for (const { p, q, kl, js, js2 } of given.shares) {
    same('kl', own.klDivergence(p, q), kl);
    same('js', own.jensenShannon(p, q), js);
    same('js2', own.jensenShannon(p, q, 2), js2);
  }
  for (const { table, chi2, df, p } of given.tables) {
    const found = own.chiSquareCounts(...table);
    same('chi2', found.chi2, chi2);
    same('df', found.df, df);
    same('p', found.p, p);
  }
  own.adjustP(given.adjust.p).forEach((p, i) => {
    same('adjusted', p, given.adjust['benjamini-hochberg'][i]);
  });
  for (const frame of [...given.numeric, ...given.categorical]) {
    const { reference, current, scipy, shape } = frame;
    for (const convention of ['evidently', 'nannyml'] as const)
      for (const [name, { value, drifted }] of Object.entries(frame[convention])) {
        const found = own.peerFigure(convention, name as never, reference, current);
        same(`${convention} ${name} (${shape})`, found.value, value);
        if (found.drifted !== null && found.drifted !== drifted)
          wrong.push(`${convention} ${name} (${shape}): drifted ${found.drifted} at ${value}`);
      }
    const chosen = own.evidentlyDefault(reference, current);
    if (chosen !== frame.default) wrong.push(`default (${shape}): ${chosen} for ${frame.default}`);
    if (!scipy) continue;
    const { d, p } = own.ksTest(reference, current, { method: 'exact' });
    same('ks d', d, scipy.d);
    same('ks exact', p, scipy.exact);
    same('ks asymp', own.ksTest(reference, current, { method: 'asymp' }).p, scipy.asymp);
    same('wasserstein', own.wasserstein(reference, current), scipy.wasserstein);
  }
  return wrong;
}

/**
 * Beginnings and ends, in turn, of the ranges of code points in Unicode 15.0 (2022). Each is given by its distance from the previous one: the last
 * digit in base 36 (0 to 9, a to z), the digits before it in base 26 (A to Z).
 * @see unicodedata2 15.0.0, category(): all but Cn
 */
const CHANGES =
  '0Yo2647111k1L11B22Be231Bj8r46bHi1Bo2CteBn2Bd2f1s211b5v126Gk18222m1711342922248142152p2316422m17121212211542233174117ha319131m1712152a131321f42c771318222m1712152922237342152ia216331432111232333c4533142161el5d131n1g291314721321242a7m131n1a152913147262142a13cd131Bf13164g2q131i3o191127314611186a23cBm4tB1211151o111n2511171a24wC01B04B31B01f1dB1Fi11512Kh142711142B5142x142711142f1Bl142Bv2w3q6Ce262Sl3Ch7m9o9kcd1312cCm2a6a6q6Ch7B75Byav1c4c413B625bB84q6b3Bq2Bt1t2b6a6e2vBdC53Bb1D88Bo3f3Bo7B72b8B75Ou262B226281111111v2Bh1f1e261j23191Ct1c2r1d3xfxfDw4SfpblBYc2w1Jp5B911512Bk72eo97171717171717171Diyq1ChcFyqc4Bs1Ce2Cv5B71Cm1CccBb1BFHp3Bj9JokF48Fn521115oBn3a6Bk8By8c6D8bu3C61b4x1Bj9e2a2Cvosa6262697171Bo4Di2a6LYccn4Bd4JKu2CyB27c55q151112121DhgMd2Bi71wB66Bf1j14451Dr211Fa362626233717a52c1q1j121f2eyDf534B93Cg1d31BbBaDmt3Bdfs4B09u5B75u1B14eB6Ee2a6B04B04B48Bgbc1f17121b1f1712BvIn9ma8o61B619Bx6211B812312n1C089Bcj125x3r51BsBk4k2Be1258131t234a797BswB34c9Bi3t2r5q74c7C8C1BjBfdBf7Ba8aI6v1B61322C3B78B6mqB2skn9C64B09Bwa12p7a6Bh1i8B39Co1kbi1BbBq711141f1b6Bn5a6418222m1712151a22232161572735DvCk15uC08aEmBi2B2yBxba6djBm6aBir2f4nF5BoCsCbc82128121u122c9aBy82Ba2brC08CbdC17aGu91B91eat3w2m1eC17121B83112198a66121B112167aImp7h1B53sCe1fBedZnCuD315bFgCV8CrdBEuEHeQ7JFtPt7v1a4C91a6u26aByaa171l5jT4CjCtC34Bl7hBs5b2eGOg8BIeB69JO7417121I3f1t321e48L0CM4Cz5d397a28FAkBa2n9D8BoGuaB32FelByDekckcCf9pDrCd1Bz122122241c11171Bt1428171s141511371Jg2I42Tif51fBEov66Fx71h2712155Bqx1D4B93e2a42IwvhBm51MwB6Um714121f1Fh2gB5C44a42VtBwC4BpFe41r1211211a141111614111111312112111111111121124171414111a1h53151hBg2HiB84Cscf2f1f1B1aEuBktdB84972e6EaBBc4h3d3Db4Cn6c41fc4Bk8a6B48u22C6Jgce2d397Ba178e49797E31BjB1aBCmBTQowELe6G62GE2eHZlDI7P2BPuFH75EMgBDGL51uCoDkGoCRMoCSAe2CSAe';

let changes: number[] | null = null;

function readChanges(): number[] {
  const read: number[] = [];
  let at = 0;
  let leading = 0;
  for (const digit of CHANGES) {
    const value = Number.parseInt(digit, 36);
    if (digit >= 'A' && digit <= 'Z') leading = leading * 26 + value - 10;
    else {
      at += leading * 36 + value;
      leading = 0;
      read.push(at);
    }
  }
  return read;
}

/** Whether Unicode 15.0 has a code point; surrogates and private ones count. */
export function isKnown(point: number): boolean {
  changes ??= readChanges();
  let low = 0;
  let high = changes.length;
  while (high > low) {
    const middle = (low + high) >>> 1;
    if (changes[middle] <= point) low = middle + 1;
    else high = middle;
  }
  return low % 2 === 1;
}

/**
 * The text with U+FFFD for each code point newer than Unicode 15.0. Runtimes have different releases of Unicode, which differ on letters and
 * lower case for newer code points, and hardly for others.
 */
export function withoutYounger(text: string): string {
  let out = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) < 128) continue;
    const start = i;
    const point = text.codePointAt(i)!;
    if (point > 0xffff) i++;
    if (isKnown(point)) continue;
    out += `${text.slice(from, start)}\ufffd`;
    from = i + 1;
  }
  return from === 0 ? text : out + text.slice(from);
}

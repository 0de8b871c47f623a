"""Unicode 15.0 (2022) on every Python: letters that were added later end a word."""

from __future__ import annotations

import re
from functools import cache

# Beginnings and ends, in turn, of ranges of code points. Each is given by its distance from the previous one: the last digit in base 36
# (0 to 9, a to z), the digits before it in base 26 (A to Z). Made with unicodedata 15.0.0: all but Cn, and L, N and _.
_KNOWN = (
    "0Yo2647111k1L11B22Be231Bj8r46bHi1Bo2CteBn2Bd2f1s211b5v126Gk18222m1711342922248142152p2316422m17121212211542233174117ha319131m1712152a131321f"
    "42c771318222m1712152922237342152ia216331432111232333c4533142161el5d131n1g291314721321242a7m131n1a152913147262142a13cd131Bf13164g2q131i3o1911"
    "27314611186a23cBm4tB1211151o111n2511171a24wC01B04B31B01f1dB1Fi11512Kh142711142B5142x142711142f1Bl142Bv2w3q6Ce262Sl3Ch7m9o9kcd1312cCm2a6a6q6C"
    "h7B75Byav1c4c413B625bB84q6b3Bq2Bt1t2b6a6e2vBdC53Bb1D88Bo3f3Bo7B72b8B75Ou262B226281111111v2Bh1f1e261j23191Ct1c2r1d3xfxfDw4SfpblBYc2w1Jp5B9115"
    "12Bk72eo97171717171717171Diyq1ChcFyqc4Bs1Ce2Cv5B71Cm1CccBb1BFHp3Bj9JokF48Fn521115oBn3a6Bk8By8c6D8bu3C61b4x1Bj9e2a2Cvosa6262697171Bo4Di2a6LYc"
    "cn4Bd4JKu2CyB27c55q151112121DhgMd2Bi71wB66Bf1j14451Dr211Fa362626233717a52c1q1j121f2eyDf534B93Cg1d31BbBaDmt3Bdfs4B09u5B75u1B14eB6Ee2a6B04B04B"
    "48Bgbc1f17121b1f1712BvIn9ma8o61B619Bx6211B812312n1C089Bcj125x3r51BsBk4k2Be1258131t234a797BswB34c9Bi3t2r5q74c7C8C1BjBfdBf7Ba8aI6v1B61322C3B78"
    "B6mqB2skn9C64B09Bwa12p7a6Bh1i8B39Co1kbi1BbBq711141f1b6Bn5a6418222m1712151a22232161572735DvCk15uC08aEmBi2B2yBxba6djBm6aBir2f4nF5BoCsCbc821281"
    "21u122c9aBy82Ba2brC08CbdC17aGu91B91eat3w2m1eC17121B83112198a66121B112167aImp7h1B53sCe1fBedZnCuD315bFgCV8CrdBEuEHeQ7JFtPt7v1a4C91a6u26aByaa17"
    "1l5jT4CjCtC34Bl7hBs5b2eGOg8BIeB69JO7417121I3f1t321e48L0CM4Cz5d397a28FAkBa2n9D8BoGuaB32FelByDekckcCf9pDrCd1Bz122122241c11171Bt1428171s1415113"
    "71Jg2I42Tif51fBEov66Fx71h2712155Bqx1D4B93e2a42IwvhBm51MwB6Um714121f1Fh2gB5C44a42VtBwC4BpFe41r1211211a141111614111111312112111111111121124171"
    "414111a1h53151hBg2HiB84Cscf2f1f1B1aEuBktdB84972e6EaBBc4h3d3Db4Cn6c41fc4Bk8a6B48u22C6Jgce2d397Ba178e49797E31BjB1aBCmBTQowELe6G62GE2eHZlDI7P2B"
    "PuFH75EMgBDGL51uCoDkGoCRMoCSAe2CSAe"
)
_WORD = (
    "Bca7q411qBb1721132131n1v1Mq4ce57111Dl51224116113111k1Cb1Dv8Em1B2216B5Bzr44B9B7la421Cr11f27f21g11utChb1eB792415m419131np7b5o16hB6BmBi31i17a4a"
    "1g48222m17113431g1d2134c262186422m17121212v4117a23g9131m17121531i1f24a91b8222m17121531u2134a17b116331432111232333cm1ldi8131n1g31q321224a8711"
    "48131n1a1531v2124a12h9131B521g1531a4j165i3o191127vahBc12c79aB3211151o111a129125119a24w1vkc81B0r5D7B7kb66443132734dc11a6B211512B71J9142711142"
    "B5142x142711142f1Bl142Bvek3ggCe263R82h1q5C33b7idjeied13fBgz1413a6ama6Ch752y115ByavB3B425bB84q6bB1n9BhB7a6ad1ClBbh83aB5udBkqB0sa3Bd297B723B54"
    "1612315FcBsHq262B226281111111v2Bh1711331734264d5317D72265b6dCt1412a1135611111141b2455411BmU6BoC6mRiuBFgGd6432912B211512Bk71gn971717171717171"
    "7C81N13p975254Ce631Ci145B71Cm34awBcgwau81fwaB3fIwHB4BsXRhBvBa2Hh3skBbgv2C8B392Cv2Bs521115og13141nd6aBgeBesao631121B2anpt7Bbsb651p1B5n3184a6n"
    "313Be1132252111o32b73c6262697171B71e6D7da6LYccn4BdJAsK62CyB27c5511a1d151112121D0xK3iBs2BiB4cD851Drja7q6qbCh36262623zc1q1j121f2eyDfcB9cBlh2Gs"
    "t3Bdgr4B09u5B2au2B04815B6Ee2a6B04B04B48Bgcb1f17121b1f1712BvIn9ma8o61B619Bx6211B812312n2v2B289Bcj125x4qByBk4k2Bbf4131ta9nv1ww81s65gBiam2r5qn7"
    "C8C1BjBfdBf7B6caI6v1B662C6B48mb4riBaskncBhqu1221dB9wp7a9B0fa41218z31cBce4bb114kbi1pj2Br711141f1a7Bbhab8222m17121531i1c5EeBhi45a53uBck2118aEm"
    "BbB54B0Bck1baB2B7d17aBirlc47F5B8D8Cbc82128121of111eaBy82B3g111s1aB471l1bBaj1iC1Hb91B1h1ft5uD47121B2l19a66121we17aImjf11d1ysaCe1flB7ZmCuD3hFg"
    "CV8CpfBDsh6EHtQ7JFtPt7v1a6C71a6uiBcg4ca171l5jT4CfCxC351BudBs211sGOg8BIeB69JO7417121I3f1t321e48L0CM4Cz5d397aGBikckD0pDrCd1Bz122122241c11171Bt"
    "1428171s141511371Jg2p1p1v1p1v1p1v1p1v1p182BeBXsv66H9BqE2B9a72a41IxuiB84aN2s4aUm714121f1Fh29BcBw714aVzBn1314C4B91fFe41r1211211a14111161411111"
    "1312112111111111121124171414111a1h53151hQ4dCZfaBCmBTQowELe6G62GE2eHZlDI7P2BPuFH75EMg"
)


def _ranges(changes: str) -> list[tuple[int, int]]:
    at = leading = 0
    ends: list[int] = []
    for digit in changes:
        if digit.isupper():
            leading = leading * 26 + ord(digit) - 65
            continue
        at += leading * 36 + int(digit, 36)
        leading = 0
        ends.append(at)
    return [*zip(ends[::2], ends[1::2])]


def _class_of(ranges: list[tuple[int, int]]) -> str:
    return "".join(f"{re.escape(chr(first))}-{re.escape(chr(end - 1))}" for first, end in ranges)


@cache
def _younger() -> re.Pattern[str]:
    return re.compile(f"[^{_class_of(_ranges(_KNOWN))}]")


@cache
def _words() -> re.Pattern[str]:
    return re.compile(f"[{_class_of(_ranges(_WORD))}]{{2,}}")


@cache
def _lower_of_14() -> dict[int, int]:
    """Lower case that Unicode 14 added, for a Python that is older."""
    pairs = {0x2C2F: 0x2C5F, 0xA7C0: 0xA7C1, 0xA7D0: 0xA7D1, 0xA7D6: 0xA7D7, 0xA7D8: 0xA7D9}
    vithkuqi = (point for point in range(0x10570, 0x10596) if point not in (0x1057B, 0x1058B, 0x10593))
    return pairs | {point: point + 39 for point in vithkuqi}


def words(text: str) -> list[str]:
    """The words of a text in lower case, in order: runs of two or more letters, digits or _ of any script.

    They are those that scikit-learn's CountVectorizer finds with ``(?u)\\b\\w\\w+\\b``. Combining marks and lone surrogates end a word.

    >>> words("Große x ΟΔΟΣ don’t")
    ['große', 'οδος', 'don']
    """
    if text.isascii():
        return _words().findall(text.lower())
    return _words().findall(_younger().sub("\ufffd", text).translate(_lower_of_14()).lower())

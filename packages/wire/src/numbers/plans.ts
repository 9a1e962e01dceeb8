/**
 * Numbering plans: which numbers are a country's, by ITU-T E.164 (list of assigned codes) and the national plans notified to the ITU.
 * One line a country or part of one: ISO 3166-1 alpha-2, country code, lengths of the national (significant) number, and its first
 * digits as a regular expression. Of lines that share a code the first whose digits fit decides, so parts stand before the whole.
 * Lines are as wide as a plan may grow and as narrow as keeps out what is none: no number of a country begins with what is dialled
 * before numbers, except where its plan has the 0 inside. Codes of no country (satellite, international premium and freephone) are not
 * here.
 */
const PLANS = `
AC 247 5 [4-8]
AD 376 6-9 [135-9]
AE 971 5-12 800
AE 971 8-9 [2-79]
AF 93 9 [2-7]
AL 355 7-9 [2-9]
AM 374 8 [1-9]
AO 244 9 [29]
AQ 672 6 1[0-35-9]
AR 54 10-11 [1-9]
AT 43 4-13 1[1-9]|[2-9]
CC 61 9 89162
CX 61 9 89164
AU 61 10 1[38]00
AU 61 9 [2-478]
AW 297 7 [25-9]
AX 358 5-12 18
AZ 994 9 [1-9]
BA 387 8-9 [3-9]
BD 880 6-10 [1-9]
BE 32 8-9 [1-9]
BF 226 8 0[1-9]|[2-7]
BG 359 6-9 [2-9]
BH 973 8 [136-9]
BI 257 8 [2367]
BJ 229 10 01
BJ 229 8 [24-9]
BN 673 7 [2-8]
BO 591 8-9 [2-8]
BQ 599 7 [347]
BR 55 10-11 [1-9][1-9]
BR 55 10 [3589]00
BT 975 7-8 [1-8]
BW 267 7-8 [2-9]
BY 375 9-10 [1-49]|8(?!10)
BZ 501 7 [2-8]
CD 243 7-9 [1-9]
CF 236 8 [2678]
CG 242 9 0[1-9]|[28]
CH 41 9 [2-9]
CI 225 10 0[1-9]|2
CK 682 5 [2-8]
CL 56 9 [2-9]
CM 237 8 88
CM 237 9 [26]
CN 86 11 1[3-9]
CN 86 10 10
CN 86 9-11 [2-9]
CO 57 11 18
CO 57 10 [36]
CR 506 8 [24-8]
CR 506 10 [89]
CU 53 6-8 [2-8]
CV 238 7 [2-9]
CW 599 7-8 [69]
CY 357 8 [2-9]
CZ 420 9 [2-9]
DE 49 6-13 1(?:16|3[78]|[5-9])|[2-9]
DJ 253 8 [27]
DK 45 8 [2-9]
DZ 213 8-9 [1-9]
EC 593 10-11 1800
EC 593 8-9 [2-9]
EE 372 7-8 [3-9]
EE 372 10 800
EG 20 8-10 [1-9]
EH 212 9 528[89]
ER 291 7 [178]
ES 34 9 [5-9]
ET 251 9 [1-9]
FI 358 5-12 (?!99[049])[1-9]
FJ 679 7 [2-9]
FK 500 5 [2-7]
FM 691 7 [39]
FO 298 6 [2-9]
FR 33 9 [1-9]
GA 241 7-8 0[1-7]|[1-7]
GB 44 7 8001111
GG 44 10 1481|7781|7839|7911[17]
JE 44 10 1534|7509|7700[378]|7797|7829|7937
IM 44 10 1624|74576|7[59]24|7624
GB 44 9-10 [1-35789]
GE 995 9 [3-9]
GF 594 9 [5-9]
GH 233 8-9 [2358]
GI 350 8 [256]
GL 299 6 [1-9]
GM 220 7-9 [2-9]
GN 224 8-9 [367]
GP 590 9 [5-9]
GQ 240 9 [235-9]
GR 30 10-12 [2-9]
GT 502 8 [2-8]
GW 245 7-9 [4-9]
GY 592 7 [2-9]
HK 852 8 [2-9]
HN 504 8 [237-9]
HR 385 6-9 [1-9]
HT 509 8 [2-589]
HU 36 8-9 [1-9]
ID 62 7-12 [1-9]
IE 353 7-10 [1-9]
IL 972 10 1[5-9]
IL 972 8-9 [2-9]
IN 91 11 18[06]0
IN 91 10 [1-9]
IO 246 7 3
IQ 964 8-10 [1-9]
IR 98 10 [1-9]
IS 354 7 [4-9]
IS 354 9 3
VA 39 8-11 06698
IT 39 6-11 0[1-9]
IT 39 9-10 3
IT 39 6-10 [4578]|1[479]
JO 962 8-9 [2-9]
JP 81 9-10 [1-9]
KE 254 7-10 [1-9]
KG 996 9 [2-9]
KH 855 8-9 [1-9]
KI 686 5-8 [2-8]
KM 269 7 [3478]
KP 850 8-10 [1-9]
KR 82 8-11 [1-9]
KW 965 7-8 [124-79]
KZ 7 10 [67]
LA 856 8-10 [2-8]
LB 961 7-8 [1-9]
LI 423 7-9 [2-9]
LK 94 9 [1-9]
LR 231 7-9 [2-9]
LS 266 8 [2568]
LT 370 8 [3-9]
LU 352 4-11 [2-9]
LV 371 8 [2-9]
LY 218 8-9 [2-9]
MA 212 9 [5-8]
MC 377 8-9 [3-9]
MD 373 8 [235-9]
ME 382 8-9 [2-9]
MG 261 9 [23]
MH 692 7 [2-6]
MK 389 8 [2-8]
ML 223 8 [2-9]
MM 95 6-10 [1-9]
MN 976 8-10 [1-9]
MO 853 8 [268]
MQ 596 9 [5-9]
MR 222 8 [2-48]
MT 356 8 [2-9]
MU 230 7-8 [2-9]
MU 230 10 8
MV 960 7 [346-9]
MW 265 7-9 [1-9]
MX 52 11 1[2-9]
MX 52 10 [2-9]
MY 60 8-10 [1-9]
MZ 258 8-9 [28]
NA 264 8-9 [68]
NC 687 6 [2-9]
NE 227 8 0[1-9]|[27-9]
NF 672 5-6 3|14
NG 234 8-10 [1-9]
NI 505 8 [125-8]
NL 31 11 97
NL 31 7-10 800|90
NL 31 9 [1-9]
SJ 47 8 79
NO 47 8 [2-9]
NO 47 12 5[89]
NP 977 8-10 [1-9]
NP 977 11 1
NR 674 7 [2-8]
NU 683 4-7 [4-8]
NZ 64 8-10 [2-9]
OM 968 7-8 [25789]
PA 507 10 800
PA 507 7-8 [1-9]
PE 51 8-9 [1-9]
PF 689 6-8 [48]
PG 675 7-8 [2-9]
PH 63 8-10 [2-9]
PK 92 8-11 [2-9]
PL 48 9 [1-9]
PM 508 6-9 [2-9]
PS 970 8-9 [2-9]
PS 970 10 1
PT 351 9 [2-9]
PW 680 7 [2-8]
PY 595 6-9 [2-9]
QA 974 7-8 [2-8]
YT 262 9 269|639|9398
RE 262 9 [2689]
RO 40 9 [2-9]
RS 381 6-12 [1-9]
RU 7 10 [349]|8(?!10)
RW 250 8 06
RW 250 8-9 [26-9]
SA 966 9-10 [1589]
SB 677 5-7 [1-9]
SC 248 7 [24689]
SD 249 9 [19]
SE 46 6-10 [1-9]
SG 65 11 1800|7000
SG 65 10 800
SG 65 8 [3689]
TA 290 4 8
SH 290 4-5 [2-9]
SI 386 5-8 [89]
SI 386 8 [1-7]
SK 421 9 [2-9]
SL 232 8 [2-9]
SM 378 6-10 0549|[5-9]
SN 221 9 [3789]
SO 252 6-9 [1-9]
SR 597 6-7 [1-9]
SS 211 9 [19]
ST 239 7 [29]
SV 503 8 [25-7]
SY 963 8-9 [1-9]
SZ 268 8 [237-9]
TD 235 8 [2-9]
TG 228 8 [279]
TH 66 8-10 [1-9]
TJ 992 9 0[1-9]|[1-9]
TK 690 4-7 [2-8]
TL 670 7-8 [2-9]
TM 993 8 [1-7]
TN 216 8 [2-9]
TO 676 5-7 [2-9]
TR 90 7 444
TR 90 10 [2-589]
TV 688 5-7 [2-9]
TW 886 8-10 [2-9]
TZ 255 9 [2-9]
UA 380 9-10 [3-9]
UG 256 9 [2-9]
UY 598 8 [249]
UZ 998 9 [2-79]|8(?!10)
VE 58 10 [24589]
VN 84 8-10 [1-9]
VU 678 5-7 [2-9]
WF 681 6 [4-9]
WS 685 10 8
WS 685 5-7 [2-8]
XK 383 8-12 [2-9]
YE 967 7-9 [1-7]
ZA 27 9 [1-9]
ZM 260 9 [1-9]
ZW 263 6-10 [1-9]
`;

/**
 * The North American plan (code 1): NXX-NXX-XXXX with N from 2 to 9, and the area codes in service by country (NANPA). Freephone is of the
 * US, for all of the plan; codes of no place (5xx, 600, 700, 900) are of no country.
 */
const AREAS = `
US 201-203 205-210 212-220 223-225 227-229 231 234 235 239 240 248 251-254 256 260 262 267 269 270 272 274 276 279 281 283
US 301-305 307-310 312-321 323-327 329-332 334 336 337 339 341 346 347 350-353 357 360 361 363 364 369 380 385 386
US 401 402 404-410 412-415 417 419 423-425 430 432 434-436 440 442 443 445 447 448 457 458 463-465 469-472 475 478-480 483 484
US 501-505 507-510 512 513 515-518 520 530 531 534 539-541 551 557 559 561-564 567 570-575 580 582 585 586
US 601-603 605-610 612 614-621 623 624 626 628-631 636 640 641 645 646 650 651 656 657 659-662 667 669 678 680-682 686 689
US 701-704 706-708 712-720 724-732 734 737 738 740 743 747 748 754 757 760 762 763 765 769-775 779 781 785 786
US 801-806 808 810 812-818 820 821 826 828 830-832 835 837-840 843 845 847 848 850 854 856-865 870 872 878
US 901 903 904 906-910 912-920 924 925 928-931 934 936-938 940 941 943 945 947-949 951 952 954 956 959 970-973 975 978-980 983-986 989
US 800 833 844 855 866 877 888
CA 204 226 236 249 250 257 263 273 289 306 343 354 365 367 368 382 387 403 416 418 428 431 437 438 450 460 468 474 506 514 519 537 548 568
CA 579 581 584 587 604 613 639 647 672 683 705 709 742 753 778 780 782 807 819 825 867 873 879 902 905 942
AG 268
AI 264
AS 684
BB 246
BM 441
BS 242
DM 767
DO 809 829 849
GD 473
GU 671
JM 658 876
KN 869
KY 345
LC 758
MP 670
MS 664
PR 787 939
SX 721
TC 649
TT 868
VC 784
VG 284
VI 340
`;

export interface Plan {
  readonly country: string;
  /** How many digits a national (significant) number has. */
  readonly lengths: readonly [least: number, most: number];
  readonly begins: RegExp;
}

const rows = (table: string): string[][] =>
  table
    .trim()
    .split('\n')
    .map((line) => line.split(' '));

/** Area codes, ranges spelled out. */
const areas = ([country, ...codes]: string[]): (readonly [string, string])[] =>
  codes.flatMap((code) => {
    const [from, to = from] = code.split('-').map(Number);
    return Array.from({ length: to! - from! + 1 }, (_, i) => [String(from! + i), country!] as const);
  });

/** Country by area code of the North American plan. */
export const AREA_CODES: ReadonlyMap<string, string> = new Map(rows(AREAS).flatMap(areas));

/** Plans by country code, in the order to try them; the North American one is `AREA_CODES`. */
export const PLANS_OF: ReadonlyMap<string, readonly Plan[]> = rows(PLANS).reduce((plans, row) => {
  const [country, code, lengths, begins] = row as [string, string, string, string];
  const [least, most = least] = lengths.split('-').map(Number) as [number, number?];
  const plan: Plan = { country, lengths: [least, most], begins: new RegExp(`^(?:${begins})`) };
  return plans.set(code, [...(plans.get(code) ?? []), plan]);
}, new Map<string, readonly Plan[]>());

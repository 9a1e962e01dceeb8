/** What became of the calls of one step. */
export class Counts {
  offered = 0;
  /** Answered, acknowledged, hung up and that answered. */
  good = 0;
  /** Refused with 503, with its time and Retry-After; and refused otherwise. */
  readonly refusals: number[] = [];
  silentRefusals = 0;
  otherRefusals: Record<number, number> = {};
  /** BYE refused, or hung up by the platform. */
  lost = 0;
  hungUp = 0;
  readonly setUp: number[] = [];

  refused(ms: number, status: number, saysWhen: boolean): void {
    if (status !== 503) {
      this.otherRefusals[status] = (this.otherRefusals[status] ?? 0) + 1;
      return;
    }
    this.refusals.push(ms);
    if (!saysWhen) this.silentRefusals += 1;
  }
}

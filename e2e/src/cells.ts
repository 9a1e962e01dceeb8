/** What was shown for one version and one peer, row by row. */
export class Cells {
  readonly column: string;
  readonly rows = new Map<string, 'pass' | 'not offered'>();

  constructor(column: string) {
    this.column = column;
  }

  pass(row: string): void {
    this.rows.set(row, 'pass');
  }

  /** The version or the peer has no way to do it. */
  notOffered(row: string): void {
    this.rows.set(row, 'not offered');
  }
}

/** A table of all columns; a cell that was never reached is `-`. */
export function cellTable(columns: readonly Cells[]): string {
  const rows = [...new Set(columns.flatMap((column) => [...column.rows.keys()]))];
  const widths = columns.map((c) => Math.max(c.column.length, 'not offered'.length));
  const first = Math.max(...rows.map((row) => row.length), 1);
  const line = (name: string, cells: readonly string[]): string =>
    [name.padEnd(first), ...cells.map((cell, i) => cell.padEnd(widths[i]!))].join('  ').trimEnd();
  return [
    line(
      '',
      columns.map((c) => c.column),
    ),
    ...rows.map((row) =>
      line(
        row,
        columns.map((column) => column.rows.get(row) ?? '-'),
      ),
    ),
  ].join('\n');
}

/** Custom headers of a call (`X-…`), in the order in which they came. */
export type Extra = readonly (readonly [name: string, value: string])[];

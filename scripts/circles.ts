/** The circles of a graph: its strongly connected parts (Tarjan) of more than one node, and nodes that point at themselves; sorted. */
export function circlesOf(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const circles: string[][] = [];
  const visit = (node: string): void => {
    order.set(node, order.size);
    lowest.set(node, order.size - 1);
    stack.push(node);
    onStack.add(node);
    for (const next of edges.get(node) ?? []) {
      if (!edges.has(next)) continue;
      if (!order.has(next)) visit(next);
      if (onStack.has(next)) lowest.set(node, Math.min(lowest.get(node)!, lowest.get(next)!));
    }
    if (lowest.get(node) !== order.get(node)) return;
    const part = stack.splice(stack.indexOf(node));
    for (const member of part) onStack.delete(member);
    if (part.length > 1 || edges.get(node)?.includes(node)) circles.push(part.sort());
  };
  for (const node of edges.keys()) if (!order.has(node)) visit(node);
  return circles;
}

const PATHS = {
  call: 'M6.6 3.500 9 4.100l1 3.800-1.900 1.600a11.500 11.500 0 0 0 6.400 6.400l1.600-1.900 3.800 1 .6 2.400a2 2 0 0 1-2 2.400A16 16 0 0 1 4.200 5.500a2 2 0 0 1 2.400-2Z',
  end: 'M3.200 14.700c-.9-1.300-.8-3 .5-4.200 4.600-3.900 12-3.900 16.600 0 1.300 1.200 1.400 2.900.5 4.200l-.6.900-4.100-1.100-.3-2.600a11.700 11.700 0 0 0-7.600 0l-.3 2.600-4.100 1.100-.6-.9Z',
  mic: 'M12 3.500a2.800 2.800 0 0 1 2.800 2.800v5.200a2.800 2.800 0 0 1-5.600 0V6.300A2.800 2.800 0 0 1 12 3.500ZM6.200 11.500a5.800 5.800 0 0 0 11.600 0M12 17.300v3.200',
  muted:
    'M14.800 11.600V6.300a2.800 2.800 0 0 0-5.500-.7M9.200 9.600v1.900a2.800 2.800 0 0 0 4.300 2.400M6.200 11.500a5.800 5.800 0 0 0 9.100 4.700M17.700 12.500l.1-1M12 17.300v3.200M4.500 4l15 15.500',
  hold: 'M9 6v12M15 6v12',
  resume: 'M8.500 5.800 17.500 12l-9 6.200Z',
  erase:
    'M8.700 5.500h10.100a1.200 1.200 0 0 1 1.200 1.200v10.600a1.200 1.200 0 0 1-1.200 1.200H8.700L3.500 12ZM11.300 9.400l5 5.200M16.300 9.400l-5 5.200',
  in: 'M17.500 6.500 7 17M7 9v8h8',
  out: 'M6.500 17.500 17 7M9 7h8v8',
} as const;

/** One of the page's line drawings; decoration, so that the text beside it is what is read out. */
export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: a headband, and the voice that comes back under it. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M7 16a9 9 0 0 1 18 0q-4.500 9-9 0t-9 0z" />
    </svg>
  );
}

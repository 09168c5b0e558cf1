// The icons are drawn here, for not every font has such signs.
const PATHS = {
  begin: 'M4 3v10M13 3 6 8l7 5z',
  end: 'M12 3v10M3 3l7 5-7 5z',
  before: 'M8 3.5 3.5 8 8 12.5M13 3.5 8.5 8l4.5 4.5',
  after: 'M8 3.5 12.5 8 8 12.5M3 3.5 7.5 8 3 12.5',
  back: 'M10 3.5 5.5 8l4.5 4.5',
  on: 'M6 3.5 10.5 8 6 12.5',
  play: 'M4.5 2.5 13 8l-8.5 5.5z',
  pause: 'M5 3v10M11 3v10',
  cause: 'M6.5 3 3 6.5 6.5 10M3 6.5h6a4 4 0 0 1 4 4V13',
  plus: 'M8 3.5v9M3.5 8h9',
  minus: 'M3.5 8h9',
  close: 'M4 4l8 8M12 4l-8 8',
} as const

const FULL: readonly string[] = ['play']

export function Icon({ of }: { of: keyof typeof PATHS }) {
  return (
    <svg
      class="icon-sign"
      viewBox="0 0 16 16"
      width="15"
      height="15"
      aria-hidden="true"
      fill={FULL.includes(of) ? 'currentColor' : 'none'}
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      <path d={PATHS[of]} />
    </svg>
  )
}

export type IconName = keyof typeof PATHS

import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core'

/** Spruce: a deep, calm green of our own; dark enough for white text from shade 6 on (WCAG AA). */
const spruce: MantineColorsTuple = [
  '#edf6f3', '#d8eae5', '#b2d5cc', '#86bdb1', '#5ea698', '#3f9183', '#267b6e', '#155f56', '#0f4c45', '#0a3833',
]
/** Amber: needs a look. */
const amber: MantineColorsTuple = [
  '#fdf5e6', '#faeaca', '#f3d398', '#ecbb62', '#e6a637', '#d98f17', '#b4700a', '#8f5606', '#6f4306', '#4f3005',
]
/** Brick: something is wrong. */
const brick: MantineColorsTuple = [
  '#fcefed', '#f7dcd8', '#efb6ae', '#e68d82', '#dc6a5c', '#cf4f40', '#b93a2c', '#982c20', '#772319', '#551911',
]
/** Neutral greys with a breath of green, so that paper and ink belong together. */
const gray: MantineColorsTuple = [
  '#f7f9f8', '#eff2f1', '#e3e8e6', '#d1d8d5', '#b3bdb9', '#8b9793', '#65726d', '#4a5651', '#323c38', '#1d2522',
]
const dark: MantineColorsTuple = [
  '#dfe7e4', '#b9c5c1', '#98a6a1', '#6d7c77', '#435049', '#303c37', '#26302c', '#1b2421', '#151c1a', '#0e1412',
]

export const theme = createTheme({
  colors: { spruce, amber, brick, gray, dark },
  primaryColor: 'spruce',
  primaryShade: { light: 7, dark: 6 },
  black: '#1a2320',
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: "'Figtree Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'Cascadia Mono', 'JetBrains Mono', Menlo, Consolas, monospace",
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '1.625rem', lineHeight: '1.25' },
      h2: { fontSize: '1.125rem', lineHeight: '1.35' },
      h3: { fontSize: '1rem', lineHeight: '1.4' },
    },
  },
  spacing: { xs: '0.5rem', sm: '0.75rem', md: '1rem', lg: '1.5rem', xl: '2.25rem' },
  radius: { xs: '3px', sm: '5px', md: '8px', lg: '12px', xl: '18px' },
  shadows: {
    xs: '0 1px 2px rgb(16 32 27 / 0.05)',
    sm: '0 1px 3px rgb(16 32 27 / 0.07), 0 1px 2px rgb(16 32 27 / 0.05)',
    md: '0 6px 18px -6px rgb(16 32 27 / 0.16), 0 2px 5px rgb(16 32 27 / 0.05)',
  },
  components: {
    Paper: { defaultProps: { radius: 'lg' } },
    Button: { defaultProps: { radius: 'md' } },
    Modal: { defaultProps: { radius: 'lg', centered: true, overlayProps: { backgroundOpacity: 0.35, blur: 2 } } },
    Drawer: { defaultProps: { overlayProps: { backgroundOpacity: 0.3 } } },
    // Inside a dialog a <header> would be read as the page's own banner.
    ModalHeader: { defaultProps: { component: 'div' } },
    DrawerHeader: { defaultProps: { component: 'div' } },
    Badge: { defaultProps: { variant: 'light', radius: 'sm' }, styles: { label: { textTransform: 'none', fontWeight: 600 } } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: true } },
  },
})

/** Tones named by meaning; each pair keeps AA contrast on the page's own background. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--mantine-color-text': '#1a2320',
    '--mantine-color-dimmed': '#5b6863',
    '--mantine-color-placeholder': '#6b7773',
    '--mantine-color-error': '#982c20',
    '--mantine-color-default-border': '#d1d8d5',
    '--mantine-color-anchor': '#155f56',
    '--oh-canvas': '#f4f6f4',
    '--oh-line': '#e3e8e6',
    '--oh-hover': '#f0f5f3',
    '--oh-selected': '#e3f0ec',
    '--oh-bad': '#982c20',
    '--oh-warn': '#835005',
    '--oh-good': '#155f56',
    '--oh-flash-up': '#c4e6d6',
    '--oh-flash-down': '#f9ddae',
    '--oh-nav': '#fbfcfb',
  },
  dark: {
    '--mantine-color-body': '#151c1a',
    '--mantine-color-text': '#dfe7e4',
    '--mantine-color-dimmed': '#9bada6',
    '--mantine-color-placeholder': '#8a9993',
    '--mantine-color-error': '#ef9b90',
    '--mantine-color-default-border': '#35423d',
    '--mantine-color-anchor': '#86bdb1',
    '--oh-canvas': '#0e1412',
    '--oh-line': '#26302c',
    '--oh-hover': '#1b2522',
    '--oh-selected': '#1a322d',
    '--oh-bad': '#f2a79d',
    '--oh-warn': '#ecbb62',
    '--oh-good': '#86bdb1',
    '--oh-flash-up': '#1e5143',
    '--oh-flash-down': '#463210',
    '--oh-nav': '#121917',
  },
})

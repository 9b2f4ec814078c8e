import js from '@eslint/js'
import hooks from 'eslint-plugin-react-hooks'
import ts from 'typescript-eslint'

const noHtml = [
  { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: 'Text only: HTML from data is how scripts get in.' },
  { selector: "Property[key.name='dangerouslySetInnerHTML']", message: 'Text only: HTML from data is how scripts get in.' },
  { selector: 'MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML)$/]', message: 'Text only: use textContent.' },
  { selector: "CallExpression[callee.name='parseFloat']", message: 'Quantities and money are decimal strings: use values/decimal.' },
]

/** Layers: apps (features) → api | ui → values. An import only goes down. */
const forbid = (...groups) => ({
  'no-restricted-imports': ['error', { patterns: groups.map(([group, message]) => ({ group, message })) }],
})

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/api/__generated__', 'public'] },
  js.configs.recommended,
  ts.configs.recommended,
  hooks.configs.flat['recommended-latest'],
  {
    files: ['**/*.{ts,tsx}'],
    rules: {
      'no-restricted-syntax': ['error', ...noHtml],
      'max-lines': ['error', 500],
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // The compiler is not part of the build; these two only matter with it.
      'react-hooks/incompatible-library': 'off',
      'react-hooks/refs': 'off',
    },
  },
  {
    files: ['src/values/**'],
    rules: forbid([['**/api/**', '**/ui/**', '**/apps/**', 'react', '@mantine/*', '@tanstack/*'], 'values imports nothing above it']),
  },
  { files: ['src/api/**'], rules: forbid([['**/ui/**', '**/apps/**'], 'api may import values only']) },
  { files: ['src/ui/**'], rules: forbid([['**/apps/**'], 'ui knows no feature']) },
  {
    // A feature sits in src/apps/console/<feature>; its neighbours are ../<other>/…
    files: ['src/apps/console/*/**'],
    rules: forbid([['../[a-z]*/*', '!../shell/*'], 'features never import each other; put shared things into ui or api']),
  },
)

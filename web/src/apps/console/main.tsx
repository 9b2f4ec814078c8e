import '@fontsource-variable/figtree'
import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import '../../ui/base.css'

import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'

import { whenSignedOut } from '../../api/client'
import { asProblem } from '../../api/problem'
import { useMe } from '../../api/session'
import { LanguageProvider } from '../../ui/i18n/LanguageProvider'
import { cssVariables, theme } from '../../ui/theme'
import { paths } from '../../values/paths'
import { makeRouter } from './routes'

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: true,
      retry: (tries, error) => tries < 2 && [0, 429, 502, 503, 504].includes(asProblem(error).status),
    },
  },
})
const router = makeRouter(client)

whenSignedOut(() => {
  if (location.pathname === paths.login()) return
  client.removeQueries({ queryKey: ['me'] })
  void router.navigate({ href: paths.login(location.pathname + location.search) })
})

/** The server writes a fresh nonce into the page; styles made at run time carry it. */
const nonce = document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content ?? ''
const styleNonce = nonce.startsWith('__') ? '' : nonce
// The scroll lock behind modals asks for the nonce under this name.
if (styleNonce) Object.assign(window, { __webpack_nonce__: styleNonce })

function Language({ children }: { children: ReactNode }) {
  const me = useMe()
  return (
    <LanguageProvider account={me?.locale} timeZone={me?.organisation?.time_zone}>
      {children}
    </LanguageProvider>
  )
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <Language>
        <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto" getStyleNonce={() => styleNonce}>
          <Notifications position="bottom-right" />
          <RouterProvider router={router} />
        </MantineProvider>
      </Language>
    </QueryClientProvider>
  </StrictMode>,
)

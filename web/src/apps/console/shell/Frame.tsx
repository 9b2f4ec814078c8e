import { ActionIcon, AppShell, Burger, Tooltip } from '@mantine/core'
import { useDisclosure, useHotkeys, useMediaQuery } from '@mantine/hooks'
import { useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useNavigate, useRouter, useRouterState } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'

import { api } from '../../../api/client'
import { useResetOnGap } from '../../../api/live'
import { asProblem } from '../../../api/problem'
import { useMay } from '../../../api/session'
import { stream } from '../../../api/stream'
import type { ScanHit } from '../../../api/types'
import { signal } from '../../../ui/feedback'
import { Go } from '../../../ui/Go'
import { Icon } from '../../../ui/Icon'
import { useProblemText, useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone, notifyProblem } from '../../../ui/notify'
import { useScanner } from '../../../ui/useScanner'
import { pathOf, paths } from '../../../values/paths'
import type { Scan } from '../../../values/scan'
import { GlobalSearch } from './GlobalSearch'
import { KeysHelp } from './KeysHelp'
import { LiveBadge } from './LiveBadge'
import { NAV } from './nav'
import css from './shell.module.css'
import { shellTexts } from './texts'
import { UserMenu } from './UserMenu'

/** The frame around every page of someone who is logged in: header, menu, search, scanner, keys, the live stream. */
export function Frame() {
  const t = useTexts(shellTexts)
  const [menu, { toggle, close }] = useDisclosure(false)
  const [searching, search] = useDisclosure(false)
  const [helping, help] = useDisclosure(false)
  const roomy = useMediaQuery('(min-width: 48em)')
  const pathname = useRouterState({ select: (state) => state.location.pathname })
  useEffect(close, [pathname, close])
  useEffect(() => {
    stream.start()
    return () => stream.stop()
  }, [])
  useResetOnGap()
  useKeys(search.open, help.open)

  return (
    <AppShell header={{ height: 56 }} navbar={{ width: 224, breakpoint: 'sm', collapsed: { mobile: !menu } }} padding={0}>
      <a className="skip-link" href="#content">
        {t('skip')}
      </a>
      <AppShell.Header>
        <div className={css.header}>
        <Burger opened={menu} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t('menu')} aria-expanded={menu} />
        <Go href={paths.overview()} className={css.brand} style={{ width: roomy ? 196 : undefined }}>
          <img src="/icon.svg" width={28} height={28} alt="" />
          <span>Onhand</span>
        </Go>
        <button type="button" className={css.searchButton} onClick={search.open} aria-label={roomy ? undefined : t('searchTitle')} aria-keyshortcuts="Control+K /" data-testid="open-search">
          <Icon name="search" size={16} />
          {roomy ? (
            <>
              <span className={css.searchWords}>{t('searchPlaceholder')}</span>
              <kbd className={css.kbd} aria-hidden="true">Ctrl K</kbd>
            </>
          ) : null}
        </button>
        <span style={{ flex: 1 }} />
        <LiveBadge />
        {roomy ? (
          <Tooltip label={t('keysTitle')}>
            <ActionIcon variant="subtle" color="gray" size={34} onClick={help.open} aria-label={t('keysTitle')}>
              <Icon name="keyboard" />
            </ActionIcon>
          </Tooltip>
        ) : null}
        <UserMenu />
        </div>
      </AppShell.Header>
      <AppShell.Navbar className={css.nav} aria-label={t('mainNav')} style={{ overflowY: 'auto' }}>
        <Menu chosen={close} />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} className={css.main}>
        <Outlet />
      </AppShell.Main>
      <GlobalSearch opened={searching} onClose={search.close} />
      <KeysHelp opened={helping} onClose={help.close} />
    </AppShell>
  )
}

function Menu({ chosen }: { chosen: () => void }) {
  const t = useTexts(shellTexts)
  const may = useMay()
  const { routesByPath } = useRouter()
  return NAV.map((group) => {
    const entries = group.entries.filter((entry) => entry.to in routesByPath && may(entry.needs))
    return entries.length ? (
      <div key={group.label}>
        <div className={css.group}>{t(group.label)}</div>
        {entries.map((entry) => (
          <Link key={entry.to} to={entry.to as never} className={css.entry} activeOptions={{ exact: entry.to === '/', includeSearch: false }} onClick={chosen} data-testid={`nav-${entry.label}`}>
            <Icon name={entry.icon} />
            {t(entry.label)}
          </Link>
        ))}
      </div>
    ) : null
  })
}

/** Ctrl-K, "/", "?", "r", "g" + letter, and the scanner. */
function useKeys(openSearch: () => void, openHelp: () => void): void {
  const t = useTexts(shellTexts)
  const say = useProblemText()
  const navigate = useNavigate()
  const client = useQueryClient()
  const { routesByPath } = useRouter()
  const going = useRef(0)
  useHotkeys([['mod+K', openSearch]], [])

  const opened = async ({ code }: Scan) => {
    try {
      const hit = await api.get<ScanHit>('/v1/scan', { query: { code } })
      signal('ok')
      notifyDone(t('scanned', { code }))
      await navigate({ href: pathOf(hit.kind, hit.id, hit.title) })
    } catch (error) {
      signal('wrong')
      notifyProblem(asProblem(error).status === 404 ? t('scanUnknown', { code }) : say(error))
    }
  }
  useScanner(opened, (key, event) => {
    if (document.querySelector('[role=dialog]')) return
    if (Date.now() - going.current < 1200) {
      const entry = NAV.flatMap((group) => group.entries).find((each) => each.go === key)
      going.current = 0
      if (entry && entry.to in routesByPath) return void navigate({ href: entry.to })
    }
    if (key === '/') openSearch()
    else if (key === '?') openHelp()
    else if (key === 'r') void client.invalidateQueries()
    else if (key === 'g') going.current = Date.now()
    else return
    event.preventDefault()
  })
}

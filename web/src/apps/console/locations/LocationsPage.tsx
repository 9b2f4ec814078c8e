import { Button, Switch, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useMemo, useRef, useState, type KeyboardEvent } from 'react'

import { useLiveInvalidate } from '../../../api/live'
import { readAll, sitesQuery } from '../../../api/places'
import { useMay } from '../../../api/session'
import type { Location } from '../../../api/types'
import { Go } from '../../../ui/Go'
import { Icon } from '../../../ui/Icon'
import { useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { Page } from '../../../ui/Page'
import { Empty, Loading, Problem } from '../../../ui/states'
import { useUrl } from '../../../ui/url'
import { paths } from '../../../values/paths'
import css from './locations.module.css'
import { PlaceForm } from './PlaceForm'
import { PlaceView } from './PlaceView'
import { placeTexts } from './texts'
import { isVirtual, visibleNodes, wayTo, type Node } from './tree'

const MOST = 5000
const KEY = ['location-tree']

/** The whole tree on the left, the chosen place on the right. */
export function LocationsPage() {
  const t = useTexts(placeTexts)
  const may = useMay()
  const client = useQueryClient()
  const { id: chosen = '' } = useParams({ strict: false })
  const [search] = useUrl()
  const [creating, setCreating] = useState(false)
  const found = useQuery({ queryKey: KEY, queryFn: () => readAll<Location>('/v1/locations', {}, MOST), staleTime: 30_000 })
  useLiveInvalidate(['location.changed', 'location.imported'], KEY)
  const again = () => Promise.all([client.invalidateQueries({ queryKey: KEY }), client.invalidateQueries({ queryKey: sitesQuery.queryKey })])
  const places = found.data
  const place = places?.find((each) => each.id === chosen)
  const empty = places && !places.some((each) => !isVirtual(each))
  return (
    <Page
      title={t('title')}
      lead={t('lead')}
      testId="page-locations"
      actions={
        may('locations:write') ? (
          <>
            {may('imports:write') ? (
              <Button component={Go} href={`${paths.imports()}?new=locations`} variant="default" leftSection={<Icon name="import" size={16} />}>
                {t('toImport')}
              </Button>
            ) : null}
            <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setCreating(true)} data-testid="new-site">
              {t('newSite')}
            </Button>
          </>
        ) : null
      }
    >
      {found.error ? (
        <Problem error={found.error} retry={() => void found.refetch()} />
      ) : !places ? (
        <Loading />
      ) : (
        <div className={css.columns}>
          <section className="card" style={{ padding: 14, minWidth: 0 }} aria-label={t('tree')}>
            {empty ? (
              <Empty title={t('none')} icon="pin">
                {t('noneHint')}
              </Empty>
            ) : null}
            <Tree places={places} chosen={chosen} find={search.q ?? ''} />
          </section>
          {place ? (
            <PlaceView key={place.id} place={place} places={places} again={again} />
          ) : (
            <section className="card">
              <Empty title={t('choose')} icon="pin" />
            </section>
          )}
        </div>
      )}
      <PlaceForm opened={creating} parent={null} onClose={() => setCreating(false)} onDone={again} />
    </Page>
  )
}

function Tree({ places, chosen, find: asked }: { places: Location[]; chosen: string; find: string }) {
  const t = useTexts(placeTexts)

  const word = useWord(words)
  const navigate = useNavigate()
  const box = useRef<HTMLDivElement>(null)
  const [opened, setOpened] = useState<ReadonlySet<string>>(() => new Set(chosen ? wayTo(places, chosen) : []))
  const [seen, setSeen] = useState(chosen)
  if (seen !== chosen) {
    // Another place was chosen, here or by a link: the way to it opens.
    setSeen(chosen)
    setOpened(new Set([...opened, ...wayTo(places, chosen)]))
  }
  const [find, setFind] = useState(asked)
  const [closedToo, setClosedToo] = useState(false)
  const [active, setActive] = useState(0)
  const nodes = useMemo(() => {
    const shown = places.filter((place) => closedToo || !place.closed_at || place.id === chosen)
    const rooms = visibleNodes(shown.filter((place) => !isVirtual(place)), opened, find)
    const ideas = visibleNodes(shown.filter(isVirtual), opened, find)
    return [...rooms, ...ideas]
  }, [places, opened, find, closedToo, chosen])
  const current = Math.min(active, nodes.length - 1)
  const twist = ({ place, open }: Node) => {
    const next = new Set(opened)
    if (open) next.delete(place.id)
    else next.add(place.id)
    setOpened(next)
  }
  const choose = (node: Node) => {
    if (!node.open && node.children && !find) twist(node)
    void navigate({ href: paths.location(node.place.id) })
  }
  const focus = (at: number) => {
    setActive(at)
    requestAnimationFrame(() => box.current?.querySelectorAll<HTMLElement>('[role=treeitem]')[at]?.focus())
  }
  const onKey = (event: KeyboardEvent, at: number) => {
    const node = nodes[at]!
    if (event.key === 'ArrowDown') focus(Math.min(at + 1, nodes.length - 1))
    else if (event.key === 'ArrowUp') focus(Math.max(at - 1, 0))
    else if (event.key === 'Home') focus(0)
    else if (event.key === 'End') focus(nodes.length - 1)
    else if (event.key === 'ArrowRight' && node.children) {
      if (!node.open) twist(node)
      else focus(at + 1)
    } else if (event.key === 'ArrowLeft') {
      if (node.open && !find) twist(node)
      else focus(Math.max(nodes.findIndex((each) => each.place.id === node.place.parent_id), 0))
    } else if (event.key === 'Enter' || event.key === ' ') choose(node)
    else return
    event.preventDefault()
  }
  return (
    <>
      <TextInput aria-label={t('find')} placeholder={t('find')} value={find} onChange={(event) => setFind(event.currentTarget.value)} leftSection={<Icon name="search" size={16} />} data-testid="find-place" />
      <Switch mt="xs" size="xs" label={t('showClosed')} checked={closedToo} onChange={(event) => setClosedToo(event.currentTarget.checked)} />
      {nodes.length ? (
        <div ref={box} className={css.tree} role="tree" aria-label={t('tree')} data-testid="tree">
          {nodes.map((node, at) => (
            <div
              key={node.place.id}
              role="treeitem"
              aria-level={node.depth + 1}
              aria-expanded={node.children ? node.open : undefined}
              aria-selected={node.place.id === chosen}
              tabIndex={at === current ? 0 : -1}
              className={css.node}
              style={{ paddingLeft: node.depth * 18 }}
              onClick={() => (setActive(at), choose(node))}
              onKeyDown={(event) => onKey(event, at)}
              data-testid={`place-${node.place.path}`}
            >
              <span
                className={css.twist}
                aria-hidden="true"
                onClick={(event) => {
                  event.stopPropagation()
                  if (node.children) twist(node)
                }}
              >
                {node.children ? <Icon name={node.open ? 'down' : 'right'} size={14} /> : null}
              </span>
              <span className="mono">{node.place.code}</span>
              <span className="clip">{node.place.name}</span>
              <span className={css.kind}>
                {node.place.closed_at ? `${t('closed')} · ` : ''}
                {word(node.place.kind)}
              </span>
            </div>
          ))}
        </div>
      ) : find ? (
        <p role="status">{t('noMatch')}</p>
      ) : null}
      {places.length >= MOST ? <p role="status">{t('moreHidden', { count: MOST })}</p> : null}
    </>
  )
}

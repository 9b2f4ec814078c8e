import { Badge, Loader, Modal, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type KeyboardEvent } from 'react'

import { api } from '../../../api/client'
import type { Page, SearchHit } from '../../../api/types'
import { Icon } from '../../../ui/Icon'
import { useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { Problem } from '../../../ui/states'
import { pathOf } from '../../../values/paths'
import css from './shell.module.css'
import { shellTexts } from './texts'

export function GlobalSearch({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const t = useTexts(shellTexts)
  const s = useShared()
  return (
    <Modal opened={opened} onClose={onClose} title={t('searchTitle')} size="lg" yOffset="10dvh" centered={false} closeButtonProps={{ 'aria-label': s('close') }}>
      <SearchBox onClose={onClose} />
    </Modal>
  )
}

function SearchBox({ onClose }: { onClose: () => void }) {
  const t = useTexts(shellTexts)
  const word = useWord(words)
  const navigate = useNavigate()
  const [typed, setTyped] = useState('')
  const [active, setActive] = useState(0)
  const [asked] = useDebouncedValue(typed.trim(), 120)
  const found = useQuery({
    queryKey: ['search', asked],
    queryFn: ({ signal }) => api.get<Pick<Page<SearchHit>, 'data'>>('/v1/search', { query: { q: asked }, signal }),
    enabled: asked.length > 0,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  })
  const hits = asked ? (found.data?.data ?? []) : []
  const at = Math.min(active, hits.length - 1)

  const open = (hit: SearchHit | undefined) => {
    if (!hit) return
    onClose()
    void navigate({ href: pathOf(hit.kind, hit.id, hit.title) })
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setActive(Math.min(at + 1, hits.length - 1))
    else if (event.key === 'ArrowUp') setActive(Math.max(at - 1, 0))
    else if (event.key === 'Enter') open(asked === typed.trim() ? hits[Math.max(at, 0)] : undefined)
    else return
    event.preventDefault()
  }
  return (
    <>
      <TextInput
        data-autofocus
        size="md"
        role="combobox"
        aria-label={t('searchTitle')}
        aria-expanded={hits.length > 0}
        aria-controls="search-hits"
        aria-activedescendant={hits.length ? `hit-${at}` : undefined}
        placeholder={t('searchPlaceholder')}
        leftSection={<Icon name="search" />}
        rightSection={found.isFetching ? <Loader size={16} /> : undefined}
        value={typed}
        onChange={(event) => (setTyped(event.currentTarget.value), setActive(0))}
        onKeyDown={onKey}
        data-testid="search-input"
      />
      {found.error ? <Problem error={found.error} /> : null}
      <div id="search-hits" role="listbox" aria-label={t('searchTitle')} className={css.hits} tabIndex={-1}>
        {hits.map((hit, index) => (
          <div key={`${hit.kind}-${hit.id}`} id={`hit-${index}`} role="option" aria-selected={index === at} className={css.hit} onMouseMove={() => setActive(index)} onClick={() => open(hit)} data-testid="search-hit">
            <div style={{ flex: 1, minWidth: 0 }}>
              <div className="clip">{hit.title}</div>
              {hit.subtitle ? (
                <Text size="xs" c="dimmed" className="clip">
                  {hit.subtitle}
                </Text>
              ) : null}
            </div>
            <Badge color="gray">{word(hit.kind)}</Badge>
          </div>
        ))}
      </div>
      {asked && !found.isFetching && !hits.length && !found.error ? <Text c="dimmed">{t('searchNothing', { q: asked })}</Text> : null}
      {!asked ? (
        <Text c="dimmed" size="sm">
          {t('searchHint')}
        </Text>
      ) : null}
    </>
  )
}

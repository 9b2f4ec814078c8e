import { Alert, Badge, Button, CopyButton, Drawer, Group, Modal, MultiSelect, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { useSites } from '../../../api/places'
import { asProblem } from '../../../api/problem'
import type { ApiKey } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import { listKey } from '../../../ui/datalist/useListData'
import { Facts } from '../../../ui/Facts'
import { Icon } from '../../../ui/Icon'
import { useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Empty, Problem } from '../../../ui/states'
import { uuid7 } from '../../../values/uuid7'
import { peopleTexts, permissionTexts } from './peopleTexts'
import { PermissionPicker } from './PermissionPicker'

const DAY = 86_400_000

export function KeysPage() {
  const t = useTexts(peopleTexts)
  const s = useShared()
  const client = useQueryClient()
  const sites = useSites()
  const [making, setMaking] = useState(false)
  const [secret, setSecret] = useState<string | null>(null)
  const [open, setOpen] = useState<ApiKey | null>(null)
  const again = () => client.invalidateQueries({ queryKey: listKey('/v1/api-keys') })
  const where = (row: ApiKey) => (row.location_ids === null ? t('everywhere') : row.location_ids.map((id) => sites.find((site) => site.id === id)?.code ?? '…').join(', '))
  const columns: Column<ApiKey>[] = [
    { id: 'name', header: s('name'), width: 'minmax(150px, 2fr)', narrow: 'title', cell: (row) => row.name },
    { id: 'prefix', header: t('prefix'), width: '190px', cell: (row) => <span className="mono">{row.prefix}</span> },
    { id: 'scopes', header: t('scopes'), width: '110px', cell: (row) => t('scopeCount', { count: row.scopes.length }) },
    { id: 'sites', header: t('sites'), width: 'minmax(110px, 1fr)', cell: where },
    { id: 'expires', header: t('expires'), width: '130px', cell: (row) => <When at={row.expires_at} form="date" /> },
    { id: 'used', header: t('lastUsed'), width: '175px', hidden: true, cell: (row) => (row.last_used_at ? <When at={row.last_used_at} /> : t('never')) },
    { id: 'state', header: s('state'), width: '120px', narrow: 'corner', cell: (row) => <KeyState row={row} /> },
  ]
  return (
    <Page
      title={t('keys')}
      lead={t('keysLead')}
      fill
      testId="page-keys"
      actions={
        <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setMaking(true)} data-testid="new-key">
          {t('newKey')}
        </Button>
      }
    >
      <DataList<ApiKey>
        page="access.keys"
        label={t('keys')}
        path="/v1/api-keys"
        columns={columns}
        rowId={(row) => row.id}
        onOpen={setOpen}
        empty={
          <Empty title={t('noKeys')} icon="key">
            {t('noKeysHint')}
          </Empty>
        }
      />
      <Drawer opened={making} onClose={() => setMaking(false)} position="right" size="lg" title={t('newKey')} closeButtonProps={{ 'aria-label': s('close') }}>
        {making ? (
          <KeyForm
            onMade={(made) => {
              setMaking(false)
              setSecret(made)
              void again()
            }}
          />
        ) : null}
      </Drawer>
      <Drawer opened={open !== null} onClose={() => setOpen(null)} position="right" size="lg" title={open?.name ?? ''} closeButtonProps={{ 'aria-label': s('close') }}>
        {open ? <KeyView row={open} where={where(open)} onDone={() => (setOpen(null), void again())} /> : null}
      </Drawer>
      <Modal opened={secret !== null} onClose={() => setSecret(null)} title={t('secretTitle')} size="lg" closeOnClickOutside={false} closeOnEscape={false} withCloseButton={false}>
        <Stack data-testid="key-secret">
          <Alert color="amber">{t('secretHint')}</Alert>
          <Text className="mono" style={{ overflowWrap: 'anywhere' }} data-testid="secret" tabIndex={0}>
            {secret}
          </Text>
          <Group>
            <CopyButton value={secret ?? ''}>
              {({ copied, copy }) => (
                <Button variant="default" onClick={copy}>
                  {copied ? s('copied') : t('copyKey')}
                </Button>
              )}
            </CopyButton>
            <Button onClick={() => setSecret(null)} data-testid="secret-kept">{t('keptIt')}</Button>
          </Group>
        </Stack>
      </Modal>
    </Page>
  )
}

function KeyState({ row }: { row: ApiKey }) {
  const t = useTexts(peopleTexts)
  const [now] = useState(() => Date.now())
  if (row.revoked_at) return <Badge color="gray">{t('revoked')}</Badge>
  return Date.parse(row.expires_at) < now ? <Badge color="gray">{t('expired')}</Badge> : <Badge color="spruce">{t('active')}</Badge>
}

function KeyForm({ onMade }: { onMade: (secret: string) => void }) {
  const t = useTexts(peopleTexts)
  const s = useShared()
  const sites = useSites()
  const [id, setId] = useState(() => uuid7())
  const [now] = useState(() => Date.now())
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<string[]>([])
  const [places, setPlaces] = useState<string[]>([])
  const [until, setUntil] = useState(() => new Date(now + 90 * DAY).toISOString().slice(0, 10))
  const [tried, setTried] = useState(false)
  const make = useMutation({
    mutationFn: () => api.post<{ secret: string }>('/v1/api-keys', { id, name: name.trim(), scopes, location_ids: places.length ? places : null, expires_at: `${until}T00:00:00Z` }),
    onSuccess: ({ secret }) => onMade(secret),
    onError: (error) => {
      if (asProblem(error).status !== 0) setId(uuid7())
    },
  })
  const valid = name.trim() && scopes.length > 0 && until
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (valid) make.mutate()
      }}
    >
      <Stack data-testid="key-form">
        <TextInput label={t('keyName')} data-autofocus value={name} error={tried && !name.trim() ? s('required') : null} onChange={(event) => setName(event.currentTarget.value)} data-testid="key-name" />
        <MultiSelect label={t('sites')} description={t('siteHint')} placeholder={places.length ? undefined : t('everywhere')} data={sites.map((site) => ({ value: site.id, label: `${site.code} · ${site.name}` }))} value={places} onChange={setPlaces} searchable />
        <TextInput type="date" label={t('expires')} description={t('expiryHint')} value={until} min={new Date(now + DAY).toISOString().slice(0, 10)} max={new Date(now + 364 * DAY).toISOString().slice(0, 10)} error={tried && !until ? s('required') : null} onChange={(event) => setUntil(event.currentTarget.value)} />
        <PermissionPicker label={t('scopes')} value={scopes} onChange={setScopes} error={tried && !scopes.length ? t('permissionNeeded') : null} />
        {make.error ? <Problem error={make.error} /> : null}
        <Group>
          <Button type="submit" loading={make.isPending} data-testid="key-make">{t('makeKey')}</Button>
        </Group>
      </Stack>
    </form>
  )
}

function KeyView({ row, where, onDone }: { row: ApiKey; where: string; onDone: () => void }) {
  const t = useTexts(peopleTexts)
  const s = useShared()
  const word = useWord(permissionTexts)
  const [asking, setAsking] = useState(false)
  const revoke = useMutation({
    mutationFn: () => api.delete('/v1/api-keys/{id}', { path: { id: row.id } }),
    onSuccess: () => {
      notifyDone(t('revokedDone'))
      onDone()
    },
  })
  return (
    <Stack data-testid="key">
      <Facts
        facts={[
          [s('state'), <KeyState key="s" row={row} />],
          [t('prefix'), <span key="p" className="mono">{row.prefix}</span>],
          [t('sites'), where],
          [t('expires'), <When key="e" at={row.expires_at} />],
          [t('lastUsed'), row.last_used_at ? <When key="l" at={row.last_used_at} /> : t('never')],
          [t('revoked'), row.revoked_at ? <When key="r" at={row.revoked_at} /> : null],
          [t('scopes'), row.scopes.map((scope) => <div key={scope}>{word(scope)}</div>)],
        ]}
      />
      {row.revoked_at ? null : asking ? (
        <Alert color="brick" title={t('revokeTitle', { name: row.name })}>
          <Text size="sm" mb="sm">{t('revokeHint')}</Text>
          {revoke.error ? <Problem error={revoke.error} /> : null}
          <Group>
            <Button color="brick" loading={revoke.isPending} onClick={() => revoke.mutate()} data-testid="revoke-confirm">{t('revoke')}</Button>
            <Button variant="default" onClick={() => setAsking(false)}>{s('cancel')}</Button>
          </Group>
        </Alert>
      ) : (
        <Group>
          <Button variant="default" onClick={() => setAsking(true)} data-testid="revoke">{t('revoke')}</Button>
        </Group>
      )}
    </Stack>
  )
}

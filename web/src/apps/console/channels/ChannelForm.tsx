import { Button, Group, MultiSelect, Stack, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { useSites } from '../../../api/places'
import { asProblem } from '../../../api/problem'
import { useMay } from '../../../api/session'
import type { Channel } from '../../../api/types'
import { useShared, useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { Problem } from '../../../ui/states'
import { uuid7 } from '../../../values/uuid7'
import { channelTexts } from './texts'

/** A channel to make or change. */
export function ChannelForm({ channel, onDone }: { channel: Channel | null; onDone: (saved: Channel) => void }) {
  const t = useTexts(channelTexts)
  const s = useShared()
  const writable = useMay()('channels:write')
  const sites = useSites()
  const [id, setId] = useState(() => channel?.id ?? uuid7())
  const [code, setCode] = useState(channel?.code ?? '')
  const [name, setName] = useState(channel?.name ?? '')
  const [buffer, setBuffer] = useState(channel?.buffer ?? '0')
  const [siteIds, setSiteIds] = useState<string[]>(channel?.site_ids ?? [])
  const [tried, setTried] = useState(false)
  const badBuffer = /^\d{1,9}$/.test(buffer.trim()) ? null : t('badBuffer')
  const valid = code.trim() && name.trim() && !badBuffer
  const patch = (changes: object) => api.patch<Channel>('/v1/channels/{id}', changes, { path: { id }, ifMatch: channel!.version })
  const save = useMutation({
    mutationFn: (changes?: object) => {
      const values = { code: code.trim(), name: name.trim(), buffer: buffer.trim(), site_ids: siteIds }
      if (changes) return patch(changes)
      return channel ? patch(values) : api.post<Channel>('/v1/channels', { id, ...values })
    },
    onSuccess: (saved) => {
      notifyDone(t('saved'))
      onDone(saved)
    },
    onError: (error) => {
      if (!channel && asProblem(error).status !== 0) setId(uuid7())
    },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (valid) save.mutate(undefined)
      }}
    >
      <Stack data-testid="channel-form">
        <Group grow align="flex-start">
          <TextInput label={s('name')} value={name} readOnly={!writable} maxLength={200} error={tried && !name.trim() ? t('needed') : null} onChange={(event) => setName(event.currentTarget.value)} data-autofocus data-testid="channel-name" />
          <TextInput label={t('code')} value={code} readOnly={!writable} maxLength={64} error={tried && !code.trim() ? t('needed') : null} onChange={(event) => setCode(event.currentTarget.value)} data-testid="channel-code" />
        </Group>
        <MultiSelect label={t('sites')} description={t('sitesHint')} data={sites.map((site) => ({ value: site.id, label: `${site.code} · ${site.name}` }))} value={siteIds} onChange={setSiteIds} readOnly={!writable} searchable clearable data-testid="channel-sites" />
        <TextInput label={t('buffer')} description={t('bufferHint')} inputMode="numeric" w={220} value={buffer} readOnly={!writable} error={badBuffer} onChange={(event) => setBuffer(event.currentTarget.value)} data-testid="channel-buffer" />
        {save.error ? <Problem error={save.error} /> : null}
        {writable ? (
          <Group>
            <Button type="submit" loading={save.isPending} data-testid="channel-save">{channel ? s('save') : s('create')}</Button>
            {channel ? (
              <Button variant="subtle" color={channel.archived_at ? undefined : 'brick'} loading={save.isPending} onClick={() => save.mutate({ archived: !channel.archived_at })}>
                {t(channel.archived_at ? 'restore' : 'archive')}
              </Button>
            ) : null}
          </Group>
        ) : null}
      </Stack>
    </form>
  )
}

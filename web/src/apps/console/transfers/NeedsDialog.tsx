import { Button, Group, Modal, Select, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '../../../api/client'
import { asProblem } from '../../../api/problem'
import type { TransferProposal } from '../../../api/types'
import { listKey } from '../../../ui/datalist/useListData'
import { useShared, useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { Problem } from '../../../ui/states'
import { paths } from '../../../values/paths'
import { uuid7 } from '../../../values/uuid7'
import { transferTexts } from './texts'

/** One choice: the site to be filled. What it lacks, and who can spare it, the server knows. */
export function NeedsDialog({ sites, onClose }: { sites: { value: string; label: string }[]; onClose: () => void }) {
  const t = useTexts(transferTexts)
  const s = useShared()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [id, setId] = useState(() => uuid7())
  const [site, setSite] = useState<string | null>(null)
  const send = useMutation({
    mutationFn: () => api.post<TransferProposal>('/v1/transfers/proposals', { id, to_site_id: site }),
    onSuccess: async (made) => {
      notifyDone([t('needsDone', { count: made.data.length }), made.unmet.length ? t('unmet', { count: made.unmet.length }) : ''].join(' '))
      onClose()
      await client.invalidateQueries({ queryKey: listKey('/v1/transfers') })
      await client.invalidateQueries({ queryKey: ['transfer-totals'] })
      if (made.data.length === 1) void navigate({ href: paths.transfer(made.data[0]!.id) })
    },
    onError: (error) => {
      if (asProblem(error).status !== 0) setId(uuid7())
    },
  })
  return (
    <Modal opened onClose={onClose} title={t('needsTitle')} closeButtonProps={{ 'aria-label': s('close') }}>
      <Stack gap="sm" data-testid="needs-form">
        <Text size="sm" c="dimmed">{t('needsHint')}</Text>
        <Select label={t('toSite')} data={sites} value={site} onChange={setSite} searchable data-testid="needs-site" />
        {send.error ? <Problem error={send.error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{s('cancel')}</Button>
          <Button disabled={!site} loading={send.isPending} onClick={() => send.mutate()} data-testid="needs-submit">{t('needsSubmit')}</Button>
        </Group>
      </Stack>
    </Modal>
  )
}

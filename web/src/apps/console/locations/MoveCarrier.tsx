import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '../../../api/client'
import { asProblem } from '../../../api/problem'
import type { Location, LpnMoved } from '../../../api/types'
import { Icon } from '../../../ui/Icon'
import { useShared, useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { PlaceSelect } from '../../../ui/PlaceSelect'
import { Problem } from '../../../ui/states'
import { paths } from '../../../values/paths'
import { uuid7 } from '../../../values/uuid7'
import { placeTexts } from './texts'

/** A pallet, tote or cart goes somewhere with all that is on it: the place it goes to, and a button. */
export function MoveCarrier({ carrier, again }: { carrier: Location; again: () => Promise<unknown> }) {
  const t = useTexts(placeTexts)
  const s = useShared()
  const [opened, setOpened] = useState(false)
  return (
    <>
      <Button size="xs" leftSection={<Icon name="truck" size={14} />} onClick={() => setOpened(true)} data-testid="move-carrier">
        {t('moveCarrier')}
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title={t('moveCarrierTitle', { name: carrier.name })} closeButtonProps={{ 'aria-label': s('close') }}>
        <Form carrier={carrier} again={again} onClose={() => setOpened(false)} />
      </Modal>
    </>
  )
}

function Form({ carrier, again, onClose }: { carrier: Location; again: () => Promise<unknown>; onClose: () => void }) {
  const t = useTexts(placeTexts)
  const s = useShared()
  const navigate = useNavigate()
  const [id, setId] = useState(() => uuid7())
  const [target, setTarget] = useState<string | null>(null)
  const send = useMutation({
    mutationFn: () => api.post<LpnMoved>('/v1/lpn-moves', { id, lpn_id: carrier.id, to_location_id: target }),
    onSuccess: async (moved) => {
      notifyDone(t('carrierMoved', { path: moved.path }))
      onClose()
      await again()
      await navigate({ href: paths.location(moved.lpn_id) })
    },
    onError: (error) => {
      if (asProblem(error).status !== 0) setId(uuid7())
    },
  })
  return (
    <Stack gap="sm" data-testid="move-carrier-form">
      <Text size="sm" c="dimmed">{t('moveCarrierHint')}</Text>
      <PlaceSelect label={s('to')} value={target} onChange={setTarget} testId="carrier-target" />
      {send.error ? <Problem error={send.error} /> : null}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>{s('cancel')}</Button>
        <Button disabled={!target} loading={send.isPending} onClick={() => send.mutate()} data-testid="carrier-submit">{t('moveCarrier')}</Button>
      </Group>
    </Stack>
  )
}

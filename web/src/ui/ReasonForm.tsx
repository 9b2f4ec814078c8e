import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'

import { useShared } from './i18n/useTexts'
import { Problem } from './states'

type Props = {
  /** Why it is asked for, and the words that are sent. Ctrl-Enter sends. */
  label: string
  submit: string
  run: (reason: string) => Promise<unknown>
  onDone: () => void
  onCancel?: () => void
  optional?: boolean
  danger?: boolean
  most?: number
  children?: ReactNode
  testId?: string
}

/** Something that wants a reason: the reason, and a button that does it. */
export function ReasonForm({ label, submit, run, onDone, onCancel, optional, danger, most = 500, children, testId }: Props) {
  const s = useShared()
  const [reason, setReason] = useState('')
  const [tried, setTried] = useState(false)
  const send = useMutation({ mutationFn: () => run(reason.trim()), onSuccess: onDone })
  const missing = !optional && !reason.trim()
  const go = () => {
    setTried(true)
    if (!missing && !send.isPending) send.mutate()
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        go()
      }}
    >
      <Stack gap="sm" data-testid={testId}>
        {children}
        <Textarea
          label={optional ? `${label} (${s('optional')})` : label}
          autosize
          minRows={2}
          maxLength={most}
          data-autofocus
          value={reason}
          error={tried && missing ? s('required') : undefined}
          onChange={(event) => setReason(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) go()
          }}
          data-testid="reason"
        />
        {send.error ? <Problem error={send.error} /> : null}
        <Group justify="flex-end">
          {onCancel ? (
            <Button variant="default" onClick={onCancel}>
              {s('cancel')}
            </Button>
          ) : null}
          <Button type="submit" loading={send.isPending} color={danger ? 'brick' : undefined} data-testid="reason-submit">
            {submit}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

/** The same in a dialog. */
export function ReasonDialog({ title, opened, onClose, children, hint, ...form }: Omit<Props, 'onCancel' | 'onDone'> & { title: string; opened: boolean; onClose: () => void; hint?: string }) {
  const s = useShared()
  return (
    <Modal opened={opened} onClose={onClose} title={title} closeButtonProps={{ 'aria-label': s('close') }}>
      <ReasonForm {...form} onDone={onClose} onCancel={onClose}>
        {hint ? <Text size="sm">{hint}</Text> : null}
        {children}
      </ReasonForm>
    </Modal>
  )
}

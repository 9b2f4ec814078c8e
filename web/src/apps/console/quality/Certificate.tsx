import { Alert, Badge, Button, FileButton, Group, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import { upload } from '../../../api/files'
import { useMay } from '../../../api/session'
import type { LotFull } from '../../../api/types'
import { Facts, Panel } from '../../../ui/Facts'
import { Icon } from '../../../ui/Icon'
import { useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { When } from '../../../ui/numbers'
import { ReasonForm } from '../../../ui/ReasonForm'
import { Problem } from '../../../ui/states'
import { qualityTexts } from './texts'

const COLORS: Record<string, string> = { none: 'gray', waiting: 'amber', approved: 'spruce', rejected: 'brick' }

/** The certificate of analysis: what is there, attach, approve, reject. */
export function Certificate({ lot, again }: { lot: LotFull; again: () => Promise<unknown> }) {
  const t = useTexts(qualityTexts)
  const may = useMay()
  const [deciding, setDeciding] = useState<'approve' | 'reject' | null>(null)
  const { certificate } = lot
  const attach = useMutation({
    mutationFn: async (file: File) => {
      const kept = await upload(file)
      await api.post('/v1/lots/{id}/certificate', { file_id: kept.id }, { path: { id: lot.id } })
    },
    onSuccess: async () => {
      notifyDone(t('attached'))
      await again()
    },
  })
  const state = certificate.state === 'none' ? t('certificateNone') : t(certificate.state as 'waiting' | 'approved' | 'rejected')
  const decidable = may('lots:approve') && lot.can.includes('approve_certificate')
  return (
    <Panel title={t('certificate')} id="lot-certificate" testId="certificate">
      <Stack gap="sm">
        {certificate.needed && certificate.state !== 'approved' ? <Alert color="amber">{t('certificateNeeded')}</Alert> : null}
        <Group gap="xs">
          <Badge color={COLORS[certificate.state]}>{state}</Badge>
          {certificate.file_name ? (
            <Text size="sm" component="a" href={`/v1/lots/${lot.id}/certificate`} download>
              {certificate.file_name}
            </Text>
          ) : null}
        </Group>
        <Facts
          facts={[
            [t('made_by'), certificate.by ? <span key="b">{certificate.by} · <When at={certificate.at} /></span> : null],
            [t('note'), certificate.note],
          ]}
        />
        {deciding ? (
          <ReasonForm
            key={deciding}
            label={t('note')}
            submit={t(deciding === 'approve' ? 'approveCertificate' : 'rejectCertificate')}
            optional={deciding === 'approve'}
            danger={deciding === 'reject'}
            run={async (note) => {
              await api.post('/v1/lots/{id}/certificate-decisions', { decision: deciding, ...(note ? { note } : {}) }, { path: { id: lot.id } })
              notifyDone(t('decided'))
              await again()
            }}
            onDone={() => setDeciding(null)}
            onCancel={() => setDeciding(null)}
            testId="certificate-decision"
          >
            <Text size="sm">{deciding === 'approve' && certificate.needed ? t('approveHint') : null}</Text>
          </ReasonForm>
        ) : (
          <Group gap="xs">
            {decidable ? (
              <>
                <Button size="xs" onClick={() => setDeciding('approve')} data-testid="certificate-approve">{t('approveCertificate')}</Button>
                <Button size="xs" variant="default" onClick={() => setDeciding('reject')}>{t('rejectCertificate')}</Button>
              </>
            ) : null}
            {may('lots:write') && lot.can.includes('attach_certificate') ? (
              <FileButton onChange={(file) => file && attach.mutate(file)} accept=".pdf,.png,.jpg,.jpeg,.webp">
                {(props) => (
                  <Button {...props} size="xs" variant="default" leftSection={<Icon name="import" size={14} />} loading={attach.isPending} data-testid="certificate-attach">
                    {t(certificate.file_name ? 'replace' : 'attach')}
                  </Button>
                )}
              </FileButton>
            ) : null}
          </Group>
        )}
        {attach.error ? <Problem error={attach.error} /> : null}
      </Stack>
    </Panel>
  )
}

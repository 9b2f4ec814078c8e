import { problemOf } from './problem'
import type { UploadedFile } from './types'

/** Send a file to be kept; what refers to it carries its id. A refusal is thrown as an `ApiProblem`. */
export async function upload(file: File): Promise<UploadedFile> {
  const form = new FormData()
  form.append('file', file)
  const response = await fetch('/v1/files', { method: 'POST', body: form, credentials: 'same-origin' })
  if (!response.ok) throw await problemOf(response)
  return (await response.json()) as UploadedFile
}

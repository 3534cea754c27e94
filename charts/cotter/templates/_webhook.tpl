{{/* The webhook for Pods; takes the modes of its namespaces and its failurePolicy. */}}
{{- define "cotter.pods" -}}
rules:
- apiGroups: [""]
  apiVersions: [v1]
  resources: [pods]
  operations: [CREATE, UPDATE]
  scope: Namespaced
- apiGroups: [""]
  apiVersions: [v1]
  resources: [pods/ephemeralcontainers]
  operations: [UPDATE]
  scope: Namespaced
matchConditions: {{- include "cotter.conditions" . | nindent 0 }}
namespaceSelector: {{- include "cotter.namespaces" . | nindent 2 }}
failurePolicy: {{ .failurePolicy }}
{{ include "cotter.call" .root }}
{{- end -}}

{{/* The second call for a new Pod that bears no trace of an answer to the first. */}}
{{- define "cotter.again" -}}
rules:
- apiGroups: [""]
  apiVersions: [v1]
  resources: [pods]
  operations: [CREATE]
  scope: Namespaced
matchConditions:
- name: not-mirror
  expression: {{ include "cotter.notMirror" . | quote }}
- name: not-answered
  expression: >-
    !has(object.metadata.annotations)
    || !('cotter.dev/images' in object.metadata.annotations || 'cotter.dev/unpinned' in object.metadata.annotations)
- name: may-need-something
  expression: >-
    {{ include "cotter.list" (list "object" "imagePullSecrets") }}.size() == 0
    || {{ include "cotter.images" "object" }}.exists(texts, texts.exists(text, !text.contains('@')))
namespaceSelector: {{- include "cotter.namespaces" (dict "root" . "modes" (list "enforce")) | nindent 2 }}
failurePolicy: Ignore
{{ include "cotter.call" . }}
{{- end -}}

{{/* How cotter is called. Neither caBundle nor the path stands here: cotter writes both, and GitOps leaves them alone. */}}
{{- define "cotter.call" -}}
clientConfig:
  service:
    name: {{ include "cotter.name" . }}
    namespace: {{ .Release.Namespace }}
    port: 443
matchPolicy: Equivalent
reinvocationPolicy: IfNeeded
sideEffects: None
timeoutSeconds: {{ .Values.timeoutSeconds }}
admissionReviewVersions: [v1]
{{- end -}}

{{/* Which requests for Pods there is anything to say about. Each list is read once, so that the cost stays linear. */}}
{{- define "cotter.conditions" -}}
- name: not-mirror
  expression: {{ include "cotter.notMirror" . | quote }}
- name: not-deleting
  expression: {{ include "cotter.notDeleting" . | quote }}
- name: images-changed
  expression: >-
    request.operation == 'CREATE'
    || {{ include "cotter.images" "object" }}
    != {{ include "cotter.images" "oldObject" }}
    || {{ include "cotter.list" (list "object" "ephemeralContainers") }}.size()
    != {{ include "cotter.list" (list "oldObject" "ephemeralContainers") }}.size()
{{- end -}}

{{- define "cotter.notMirror" -}}
!has(object.metadata.annotations) || !('kubernetes.io/config.mirror' in object.metadata.annotations)
{{- end -}}

{{- define "cotter.notDeleting" -}}
!has(object.metadata.deletionTimestamp)
{{- end -}}

{{/* The image texts of a Pod but those of its ephemeral containers, which are only ever added. */}}
{{- define "cotter.images" -}}
{{- $image := ".map(c, has(c.image), c.image), " -}}
[{{ include "cotter.list" (list . "containers") }}{{ $image -}}
{{ include "cotter.list" (list . "initContainers") }}{{ $image -}}
{{ include "cotter.list" (list . "volumes") }}.map(v, has(v.image) && has(v.image.reference), v.image.reference)]
{{- end -}}

{{- define "cotter.list" -}}
{{- $path := printf "%s.spec.%s" (index . 0) (index . 1) -}}
(has({{ $path }}) ? {{ $path }} : [])
{{- end -}}

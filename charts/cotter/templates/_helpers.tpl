{{/* The name of all objects: the release's, with the chart's where the release does not say it. */}}
{{- define "cotter.name" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{/* What tells the Pods of this release from all others; it never changes. */}}
{{- define "cotter.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "cotter.labels" -}}
{{ include "cotter.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "cotter.account" -}}
{{ .Values.serviceAccount.name | default (ternary (include "cotter.name" .) "default" .Values.serviceAccount.create) }}
{{- end -}}

{{/* The image; a digest decides over the tag, which stays for people to read. Takes the repository's spelling. */}}
{{- define "cotter.image" -}}
{{- $tag := .root.Values.image.tag | default .root.Chart.AppVersion -}}
{{ .repository }}:{{ $tag }}{{ with .root.Values.image.digest }}@{{ . }}{{ end }}
{{- end -}}

{{- define "cotter.tlsSecret" -}}
{{ .Values.certificates.secretName | default (printf "%s-tls" (include "cotter.name" .)) }}
{{- end -}}

{{/* Whether this release works in listed namespaces only; empty or true. */}}
{{- define "cotter.listed" -}}
{{- if eq .Values.rbac.scope "namespaces" }}true{{ end -}}
{{- end -}}

{{/* The namespaces that the webhooks and the validating policy are for; takes the accepted modes. */}}
{{- define "cotter.namespaces" -}}
matchExpressions:
- key: cotter.dev/mode
  operator: In
  values: {{ toJson .modes }}
- key: kubernetes.io/metadata.name
  operator: NotIn
  values: {{ uniq (list "kube-system" "kube-node-lease" .root.Release.Namespace) | toJson }}
{{- if include "cotter.listed" .root }}
- key: kubernetes.io/metadata.name
  operator: In
  values: {{ toJson .root.Values.rbac.namespaces }}
{{- end }}
{{- end -}}

{{/* The policies of cotter.yaml by name, as JSON; the built-in ones where it has none. */}}
{{- define "cotter.policies" -}}
{{- if hasKey .Values.config "policies" -}}
{{ toJson .Values.config.policies }}
{{- else -}}
{{- $deny := dict "invalid" "deny" "notFound" "deny" "unauthorized" "deny" "unavailable" "deny" "refused" "deny" -}}
{{ dict "standard" dict "strict" (dict "pin" (dict "pinImmutable" true) "onFailure" $deny "allowSkip" false) | toJson }}
{{- end -}}
{{- end -}}

{{- define "cotter.defaultPolicy" -}}
{{- $name := .Values.config.defaultPolicy | default "standard" -}}
{{- $policies := include "cotter.policies" . | fromJson -}}
{{- if not (hasKey $policies $name) -}}
{{- fail (printf "config.defaultPolicy: %q is not among config.policies (%s)" $name (keys $policies | sortAlpha | join ", ")) -}}
{{- end -}}
{{ $name }}
{{- end -}}

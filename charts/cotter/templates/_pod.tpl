{{/* The options of `cotter serve` in their environment form. */}}
{{- define "cotter.env" -}}
{{- $name := include "cotter.name" . -}}
{{- $certificates := .Values.certificates -}}
{{- $client := .Values.callers.clientCA -}}
- name: COTTER_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: COTTER_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: COTTER_CONFIG_MAP
  value: {{ $name }}
- name: COTTER_SERVICE
  value: {{ $name }}
- name: COTTER_WEBHOOK_CONFIGURATION
  value: {{ $name }}
{{- if .Values.registries.enabled }}
- name: COTTER_REGISTRIES
  value: "true"
- name: COTTER_REGISTRY_WEBHOOK_CONFIGURATION
  value: {{ $name }}-registries
{{- end }}
- name: COTTER_TRUST_SECRET
  value: {{ $name }}-trust
- name: COTTER_LEASE
  value: {{ $name }}
{{- if eq $certificates.mode "self" }}
- name: COTTER_CERTIFICATES
  value: self
- name: COTTER_CA_LIFE
  value: {{ $certificates.caLife }}
- name: COTTER_LEAF_LIFE
  value: {{ $certificates.leafLife }}
{{- else }}
- name: COTTER_CERTIFICATES
  value: files
- name: COTTER_CERT
  value: /etc/cotter/tls/tls.crt
- name: COTTER_KEY
  value: /etc/cotter/tls/tls.key
{{- if and (eq $certificates.mode "files") $certificates.caKey }}
- name: COTTER_CA
  value: /etc/cotter/tls/{{ $certificates.caKey }}
{{- end }}
{{- end }}
{{- if or $client.configMap $client.secret }}
- name: COTTER_CLIENT_CA
  value: /etc/cotter/client-ca/{{ $client.key }}
{{- end }}
{{- if include "cotter.listed" . }}
- name: COTTER_WATCH_NAMESPACES
  value: {{ join "," .Values.rbac.namespaces | quote }}
{{- end }}
- name: COTTER_SHUTDOWN_DELAY
  value: {{ .Values.shutdownDelaySeconds }}s
- name: COTTER_DRAIN
  value: {{ .Values.drainSeconds }}s
- name: COTTER_LOG_FORMAT
  value: {{ .Values.logFormat }}
- name: COTTER_LOG_LEVEL
  value: {{ .Values.logLevel }}
{{- end -}}

{{/* Constraints of the values with a labelSelector, or the chart's own. */}}
{{- define "cotter.spread" -}}
{{- $selector := dict "matchLabels" (include "cotter.selector" . | fromYaml) -}}
{{- $own := list -}}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" -}}
{{- $own = append $own (dict "maxSkew" 1 "topologyKey" . "whenUnsatisfiable" "ScheduleAnyway" "matchLabelKeys" (list "pod-template-hash")) -}}
{{- end -}}
{{- $all := list -}}
{{- range .Values.topologySpreadConstraints | default $own -}}
{{- $all = append $all (merge (deepCopy .) (dict "labelSelector" $selector)) -}}
{{- end -}}
{{ toYaml $all }}
{{- end -}}

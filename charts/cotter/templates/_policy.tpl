{{/* The rules of cotter.yaml in CEL. Whatever a policy admits passes; docs/adr/0037 says how. */}}
{{- define "cotter.variables" -}}
{{- $policies := include "cotter.policies" . | fromJson -}}
{{- $default := include "cotter.defaultPolicy" . -}}
{{- $label := "namespaceObject.metadata.labels['cotter.dev/policy']" -}}
- name: policy
  expression: >-
    'cotter.dev/policy' in namespaceObject.metadata.labels && {{ $label }} in {{ keys $policies | sortAlpha | toJson }}
    ? {{ $label }} : {{ toJson $default }}
- name: annotations
  expression: "has(object.metadata.annotations) ? object.metadata.annotations : {}"
- name: ephemeral
  expression: has(request.subResource) && request.subResource == 'ephemeralcontainers'
# name=text of each slot without a digest that may be pulled. A text with @ is a digest, or no reference and never runs.
- name: slots
  expression: {{ include "cotter.slots" (dict "object" "object" "policy" true) | quote }}
# Whether cotter.dev/unpinned might not fit into the 256 KiB of all annotations: 18 bytes and the name for each slot.
- name: full
  expression: >-
    variables.annotations.map(k, bytes(k).size() + bytes(variables.annotations[k]).size()).sum()
    + variables.slots.map(s, s.indexOf('=') + 18).sum() + 21 > 262144
- name: before
  expression: >-
    request.operation == 'CREATE' ? [] : {{ include "cotter.slots" (dict "object" "oldObject") }}
# Only what is new is looked at. The product keeps the cost of 1,000 slots on both sides within the budget of an expression.
- name: changed
  expression: >-
    variables.slots.size() * variables.before.size() > 800000 ? []
    : variables.slots.filter(s, !(s in variables.before)).map(s, s.substring(s.indexOf('=') + 1).trim())
# With the default tag, and the name in lower case.
- name: images
  expression: >-
    variables.changed.map(i, i.lastIndexOf(':') > i.lastIndexOf('/') ? i : i + ':latest')
    .map(i, i.substring(0, i.lastIndexOf(':')).lowerAscii() + i.substring(i.lastIndexOf(':')))
# Those that name their host, and those that mean Docker Hub's; in full.
- name: hosted
  expression: >-
    variables.images.filter(i, i.matches({{ include "cotter.host" . | toJson }}))
    .map(i, i.startsWith('index.docker.io/') ? i.substring(6) : i)
    .map(i, i.matches('^docker[.]io/[^/]*$') ? 'docker.io/library/' + i.substring(10) : i)
- name: short
  expression: >-
    variables.images.filter(i, !i.matches({{ include "cotter.host" . | toJson }}))
    .map(i, i.contains('/') ? 'docker.io/' + i : 'docker.io/library/' + i)
- name: unpinned
  expression: >-
    {{- range $name := without (keys $policies | sortAlpha) $default }}
    variables.policy == {{ toJson $name }} ? ({{ include "cotter.unpinned" (get $policies $name | default dict) }}) :
    {{- end }}
    {{ include "cotter.unpinned" (get $policies $default | default dict) }}
{{- end -}}

{{- define "cotter.host" -}}
^(localhost|[^/]*[.:][^/]*)/
{{- end -}}

{{- define "cotter.slots" -}}
{{- $unpinned := "has(c.image) && !c.image.contains('@')" -}}
{{- $volume := "has(v.image) && has(v.image.reference) && !v.image.reference.contains('@')" -}}
{{- if .policy -}}
{{- $unpinned = print $unpinned " && !(has(c.imagePullPolicy) && c.imagePullPolicy == 'Never')" -}}
{{- $volume = print $volume " && !(has(v.image.pullPolicy) && v.image.pullPolicy == 'Never')" -}}
{{- end -}}
{{- $lists := list -}}
{{- range list "containers" "initContainers" "ephemeralContainers" -}}
{{- $lists = append $lists (printf "%s.map(c, %s, c.name + '=' + c.image)" (include "cotter.list" (list $.object .)) $unpinned) -}}
{{- end -}}
{{- $lists = append $lists (printf "%s.map(v, %s, 'volumes/' + v.name + '=' + v.image.reference)" (include "cotter.list" (list .object "volumes")) $volume) -}}
{{ join " + " $lists }}
{{- end -}}

{{/* The images that one policy would have pinned. */}}
{{- define "cotter.unpinned" -}}
{{- $pin := .pin | default dict -}}
{{- $passes := list -}}
{{- if ne (toString (get . "allowSkip")) "false" -}}
{{- $passes = append $passes "('cotter.dev/skip' in variables.annotations && variables.annotations['cotter.dev/skip'] == 'true')" -}}
{{- end -}}
{{- /* What failed under `warn` stays unpinned, and cotter records it on the Pod; on an ephemeral container it cannot. */ -}}
{{- $onFailure := .onFailure | default dict -}}
{{- range list "invalid" "notFound" "unauthorized" "unavailable" "refused" -}}
{{- if ne (get $onFailure . | default "warn") "deny" -}}
{{- $passes = append $passes "'cotter.dev/unpinned' in variables.annotations || variables.ephemeral || variables.full" -}}
{{- end -}}
{{- end -}}
{{- $accepted := list "false" -}}
{{- if not $pin.pinImmutable -}}
{{- $tags := list "[0-9a-f]{40}" "[0-9a-f]{64}" "(sha-|git-|g)[0-9a-f]{7,40}" -}}
{{- range $pin.immutableTags -}}
{{- $tags = append $tags (include "cotter.glob" (list . "[^:/]*")) -}}
{{- end -}}
{{- $accepted = append $accepted (printf "i.matches(%s)" (printf ":(%s)$" (join "|" $tags) | toJson)) -}}
{{- $accepted = append $accepted "(i.matches(':[0-9a-f]{7,39}$') && !i.matches(':([0-9]+|[a-f]+)$'))" -}}
{{- end -}}
{{- $skips := list -}}
{{- range hasKey $pin "skip" | ternary $pin.skip (list "registry.k8s.io/**") -}}
{{- $skips = append $skips (include "cotter.glob" (list . ".*")) -}}
{{- end -}}
{{- if $skips -}}
{{- $accepted = append $accepted (printf "i.matches(%s)" (printf "^(%s):[^:/]*$" (join "|" $skips) | toJson)) -}}
{{- end -}}
{{- $images := ternary "variables.hosted" "(variables.hosted + variables.short)" (eq (dig "canonicalise" "shortNames" "hub" .) "leave") -}}
{{- with uniq $passes }}{{ join " || " . }} ? [] : {{ end -}}
{{ $images }}.filter(i, !({{ without $accepted "false" | default $accepted | join " || " }}))
{{- end -}}

{{/* A glob as a regular expression; takes what ** stands for. */}}
{{- define "cotter.glob" -}}
{{ index . 0 | regexQuoteMeta | replace "\\*\\*" (index . 1) | replace "\\*" "[^/]*" | replace "\\?" "[^/]" }}
{{- end -}}

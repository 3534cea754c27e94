{{/* Who may change a Registry, in CEL; takes cotter's own account. */}}
{{- define "cotter.ownership" -}}
{{- $groups := .root.Values.registries.adminGroups -}}
- name: old
  expression: "oldObject != null && has(oldObject.metadata.annotations) ? oldObject.metadata.annotations : {}"
- name: creator
  expression: "'cotter.dev/creator' in variables.old ? variables.old['cotter.dev/creator'] : ''"
- name: annotations
  expression: "object != null && has(object.metadata.annotations) ? object.metadata.annotations : {}"
- name: new
  expression: "'cotter.dev/creator' in variables.annotations ? variables.annotations['cotter.dev/creator'] : ''"
- name: admin
  expression: has(request.userInfo.groups) && request.userInfo.groups.exists(g, g in {{ toJson $groups }})
- name: admins
  expression: >-
    [{{ if $groups }}{{ printf "members of %s %s" (ternary "the group" "one of the groups" (eq (len $groups) 1)) (join ", " $groups) | toJson }}{{ else }}"nobody else, since there are no admin groups"{{ end }}]
- name: may
  expression: >-
    variables.admin || request.userInfo.username == {{ toJson .account }}
    || (variables.creator != '' && request.userInfo.username == variables.creator)
# Kubernetes' own: the garbage collector deletes what has lost its owners and lets go of what it held; the storage
# version migrator writes what is there. None of them changes what the Registry says.
- name: unchanged
  expression: >-
    object != null && oldObject != null && object.spec == oldObject.spec && variables.annotations == variables.old
    && (has(object.metadata.labels) ? object.metadata.labels : {}) == (has(oldObject.metadata.labels) ? oldObject.metadata.labels : {})
- name: deleting
  expression: oldObject != null && has(oldObject.metadata.deletionTimestamp)
- name: collector
  expression: >-
    request.userInfo.username in
    ['system:serviceaccount:kube-system:generic-garbage-collector', 'system:kube-controller-manager']
- name: bound
  expression: >-
    object != null && oldObject != null
    && (has(object.metadata.ownerReferences) ? object.metadata.ownerReferences : []) == (has(oldObject.metadata.ownerReferences) ? oldObject.metadata.ownerReferences : [])
    && (has(object.metadata.finalizers) ? object.metadata.finalizers : []) == (has(oldObject.metadata.finalizers) ? oldObject.metadata.finalizers : [])
- name: works
  expression: >-
    request.operation == 'DELETE'
    ? variables.collector && has(oldObject.metadata.ownerReferences)
    : variables.unchanged && (variables.bound || variables.deleting || variables.collector)
{{- end -}}

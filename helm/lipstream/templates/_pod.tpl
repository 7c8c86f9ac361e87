{{/* Nobody is root, nothing on the image's disk can be changed. */}}
{{- define "lipstream.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "lipstream.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Where a pod may run. Argument: (dict "root" $ "pool" name). */}}
{{- define "lipstream.placement" -}}
{{- $pool := index .root.Values.nodePools .pool -}}
{{- with $pool.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pool.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pool.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pool.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* Requests and limits with GPUs. Argument: (dict "root" $ "component" component). */}}
{{- define "lipstream.resources" -}}
{{- $resources := deepCopy .component.resources -}}
{{- if .component.gpus -}}
{{- $gpu := (index .root.Values.nodePools .component.pool).gpu -}}
{{- $limits := default dict $resources.limits -}}
{{- $_ := set $limits $gpu (int .component.gpus) -}}
{{- $_ := set $resources "limits" $limits -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{/* Redis, object store and who we are, as environment. Argument: $. */}}
{{- define "lipstream.connections" -}}
{{- $redis := .Values.redis -}}
{{- if $redis.passwordSecret.name }}
- name: REDIS_PASSWORD
  valueFrom: {secretKeyRef: {{ dict "name" $redis.passwordSecret.name "key" $redis.passwordSecret.key | toJson }}}
{{- end }}
- name: LIPSTREAM_REDIS
  value: {{ printf "%s://%s%s:%d/%d" (ternary "rediss" "redis" $redis.tls) (ternary (printf "%s:$(REDIS_PASSWORD)@" $redis.username) "" (ne $redis.passwordSecret.name "")) (include "lipstream.redisHost" .) (int $redis.port) (int $redis.database) | quote }}
{{- with .Values.objectStore.credentialsSecret }}
{{- if .name }}
- name: AWS_ACCESS_KEY_ID
  valueFrom: {secretKeyRef: {{ dict "name" .name "key" .accessKey | toJson }}}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: {secretKeyRef: {{ dict "name" .name "key" .secretKey | toJson }}}
{{- end }}
{{- end }}
- name: LIPSTREAM_ADVERTISE_HOST
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
{{- end -}}

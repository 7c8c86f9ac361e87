{{/* By the processor's load. Argument: (dict "root" $ "name" name "component" component). */}}
{{- define "lipstream.hpa" -}}
{{- $scaling := .component.autoscaling -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "lipstream.fullname" .root }}-{{ .name }}
  labels: {{- include "lipstream.labels" . | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ include "lipstream.fullname" .root }}-{{ .name }}}
  minReplicas: {{ $scaling.min }}
  maxReplicas: {{ $scaling.max }}
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: {{ $scaling.cpuPercent }}}}
  behavior: {{- include "lipstream.behavior" $scaling | nindent 4 }}
{{- end -}}

{{/* Up at once, down one by one after a while: each pod that goes hands its sessions on. */}}
{{- define "lipstream.behavior" -}}
scaleUp:
  stabilizationWindowSeconds: 0
  policies: [{type: Percent, value: 100, periodSeconds: 15}, {type: Pods, value: 4, periodSeconds: 15}]
scaleDown:
  stabilizationWindowSeconds: {{ .downSeconds }}
  policies: [{type: Pods, value: 1, periodSeconds: 60}]
{{- end -}}

{{/* By jobs and live streams; the larger need counts. */}}
{{- define "lipstream.keda" -}}
{{- $root := .root -}}
{{- $scaling := .component.autoscaling -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ include "lipstream.fullname" $root }}-{{ .name }}
  labels: {{- include "lipstream.labels" . | nindent 4 }}
spec:
  scaleTargetRef: {name: {{ include "lipstream.fullname" $root }}-{{ .name }}}
  minReplicaCount: {{ $scaling.min }}
  maxReplicaCount: {{ $scaling.max }}
  pollingInterval: 5
  cooldownPeriod: {{ $scaling.downSeconds }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior: {{- include "lipstream.behavior" $scaling | nindent 8 }}
  triggers:
    {{- $parallel := include "lipstream.parallel" . }}
    {{- $of := printf "namespace=%q,service=%q" $root.Release.Namespace .name }}
    {{- if $root.Values.monitoring.prometheusAddress }}
    {{- with $scaling.streams }}
    # The replicas that are at work, and one for each so many jobs that wait and could go on: what a
    # tenant's cap holds back would find no more replicas than there are.
    - type: prometheus
      metadata:
        serverAddress: {{ $root.Values.monitoring.prometheusAddress | quote }}
        query: {{ printf "max(lipstream_queue_depth{%s,state=\"waiting\"}) - max(lipstream_queue_held_back{%s}) + %d / %s * max(lipstream_queue_depth{%s,state=\"pending\"})" $of $of (int $scaling.lag) $parallel $of | squote }}
        threshold: {{ $scaling.lag | quote }}
    {{- end }}
    {{- else }}
    {{- range $stream := $scaling.streams }}
    - type: redis-streams # the lag that Redis 7 tells
      metadata:
        {{- include "lipstream.kedaRedis" $root | nindent 8 }}
        stream: {{ $stream | quote }}
        consumerGroup: workers
        lagCount: {{ $scaling.lag | quote }}
        activationLagCount: "0"
      {{- include "lipstream.kedaRedisAuth" $root | nindent 6 }}
    - type: redis # what waits for its turn before the stream: a hash, whose fields KEDA counts
      metadata:
        {{- include "lipstream.kedaRedis" $root | nindent 8 }}
        listName: {{ printf "%s:waiting" $stream | quote }}
        listLength: {{ $scaling.lag | quote }}
        activationListLength: "0"
      {{- include "lipstream.kedaRedisAuth" $root | nindent 6 }}
    - type: redis-streams # what workers have: no replica that is at work is taken away
      metadata:
        {{- include "lipstream.kedaRedis" $root | nindent 8 }}
        stream: {{ $stream | quote }}
        consumerGroup: workers
        pendingEntriesCount: {{ $parallel | quote }}
      {{- include "lipstream.kedaRedisAuth" $root | nindent 6 }}
    {{- end }}
    {{- end }}
    {{- if $scaling.liveLoad }}
    - type: prometheus # replicas that would be full, over the load that each should have
      metadata:
        serverAddress: {{ $root.Values.monitoring.prometheusAddress | quote }}
        query: {{ printf "sum(lipstream_live_streams{%s}) / avg(lipstream_live_capacity{%s})" $of $of | squote }}
        threshold: {{ $scaling.liveLoad | quote }}
    {{- end }}
{{- end -}}

{{- define "lipstream.kedaRedis" -}}
address: {{ printf "%s:%d" (include "lipstream.redisHost" .) (int .Values.redis.port) | quote }}
databaseIndex: {{ .Values.redis.database | quote }}
enableTLS: {{ .Values.redis.tls | quote }}
{{- if .Values.redis.username }}
usernameFromEnv: REDIS_USERNAME # of the pods that it scales
{{- end }}
{{- end -}}

{{- define "lipstream.kedaRedisAuth" -}}
{{- if .Values.redis.passwordSecret.name -}}
authenticationRef: {name: {{ include "lipstream.fullname" . }}-redis}
{{- end -}}
{{- end -}}

{{/* Jobs that one replica works on at a time. */}}
{{- define "lipstream.parallel" -}}
{{- if eq .name "avatar" -}}
{{- .root.Values.fits.parallel -}}
{{- else -}}
{{- .component.env.LIPSTREAM_WORKER_CONCURRENCY | default .root.Values.settings.worker_concurrency | default 1 -}}
{{- end -}}
{{- end -}}

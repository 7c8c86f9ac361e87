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

{{/* By queued jobs and live streams; the larger need counts. */}}
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
    {{- range $stream := $scaling.streams }}
    - type: redis-streams # the lag that Redis 7 tells
      metadata:
        address: {{ printf "%s:%d" (include "lipstream.redisHost" $root) (int $root.Values.redis.port) | quote }}
        databaseIndex: {{ $root.Values.redis.database | quote }}
        enableTLS: {{ $root.Values.redis.tls | quote }}
        stream: {{ $stream | quote }}
        consumerGroup: workers
        lagCount: {{ $scaling.lag | quote }}
        activationLagCount: "0"
      {{- if $root.Values.redis.passwordSecret.name }}
      authenticationRef: {name: {{ include "lipstream.fullname" $root }}-redis}
      {{- end }}
    - type: redis # what waits for its turn before the stream: a hash, whose fields KEDA counts
      metadata:
        address: {{ printf "%s:%d" (include "lipstream.redisHost" $root) (int $root.Values.redis.port) | quote }}
        databaseIndex: {{ $root.Values.redis.database | quote }}
        enableTLS: {{ $root.Values.redis.tls | quote }}
        listName: {{ printf "%s:waiting" $stream | quote }}
        listLength: {{ $scaling.lag | quote }}
        activationListLength: "0"
      {{- if $root.Values.redis.passwordSecret.name }}
      authenticationRef: {name: {{ include "lipstream.fullname" $root }}-redis}
      {{- end }}
    {{- end }}
    {{- $of := printf "namespace=%q,service=%q" $root.Release.Namespace .name }}
    {{- with $root.Values.monitoring.prometheusAddress }}
    {{- if $scaling.streams }}
    - type: prometheus # all jobs that wait, those too that are not in the stream yet
      metadata:
        serverAddress: {{ . | quote }}
        query: {{ printf "max(lipstream_queue_depth{%s,state=\"waiting\"})" $of | squote }}
        threshold: {{ $scaling.lag | quote }}
    {{- end }}
    {{- if $scaling.liveLoad }}
    - type: prometheus # replicas that would be full, over the load that each should have
      metadata:
        serverAddress: {{ . | quote }}
        query: {{ printf "sum(lipstream_live_streams{%s}) / avg(lipstream_live_capacity{%s})" $of $of | squote }}
        threshold: {{ $scaling.liveLoad | quote }}
    {{- end }}
    {{- end }}
{{- end -}}

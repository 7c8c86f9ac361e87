{{/* Argument: (dict "root" $ "name" name "component" component). */}}
{{- define "lipstream.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "lipstream.fullname" .root }}-{{ .name }}
  labels: {{- include "lipstream.labels" . | nindent 4 }}
spec:
  selector: {{- include "lipstream.selector" . | nindent 4 }}
  {{- if ne .component.sessionAffinity "None" }}
  sessionAffinity: {{ .component.sessionAffinity }}
  {{- end }}
  ports:
    {{- range $key, $port := .component.ports }}
    - {name: {{ $key }}, port: {{ $port }}, targetPort: {{ $key }}{{ if eq $key "grpc" }}, appProtocol: kubernetes.io/h2c{{ end }}}
    {{- end }}
    {{- if ne .component.kind "lipstream" }}
    - {name: watch, port: {{ include "lipstream.watchPort" . }}, targetPort: watch}
    {{- end }}
{{- end -}}

{{/* Where the watch of a model server's pod answers. */}}
{{- define "lipstream.watchPort" -}}
9100
{{- end -}}

{{- define "lipstream.disruption" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "lipstream.fullname" .root }}-{{ .name }}
  labels: {{- include "lipstream.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ .component.disruption.maxUnavailable }}
  # A pod that does not run anyway shall hold up no drain of its node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "lipstream.selector" . | nindent 6 }}
{{- end -}}

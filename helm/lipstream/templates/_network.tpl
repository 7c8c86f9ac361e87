{{/* Who may call a component. Argument: (dict "root" $ "name" name "component" component). */}}
{{- define "lipstream.networkPolicy" -}}
{{- $root := .root -}}
{{- $component := .component -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "lipstream.fullname" $root }}-{{ .name }}
  labels: {{- include "lipstream.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "lipstream.selector" . | nindent 6 }}
  policyTypes: [Ingress]
  ingress:
    {{- if $component.callers }}
    - from:
        {{- range $caller := $component.callers }}
        - podSelector:
            matchLabels: {{- include "lipstream.selector" (dict "root" $root "name" $caller) | nindent 14 }}
        {{- end }}
      ports: [{port: {{ $component.servicePort }}}]
    {{- else }}
    - {{ with $root.Values.networkPolicies.gatewayFrom }}from: {{- toYaml . | nindent 8 }}
      {{ end }}ports: [{port: {{ $component.servicePort }}}]
    {{- end }}
    - {{ with $root.Values.networkPolicies.metricsFrom }}from: {{- toYaml . | nindent 8 }}
      {{ end }}ports: [{port: {{ $component.metricsPort }}}{{ if ne $component.kind "lipstream" }}, {port: {{ include "lipstream.watchPort" . }}}{{ end }}]
{{- end -}}

{{- define "guidepost.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "guidepost.selector" -}}
app.kubernetes.io/name: guidepost
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "guidepost.labels" -}}
{{ include "guidepost.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{/* Whether the pods make their policies of bundles, or find them in the image. */}}
{{- define "guidepost.bundles" -}}
{{- if or .Values.policies.urls (and .Values.policies.configMaps (not .Values.policies.fromImage)) }}yes{{ end -}}
{{- end }}

{{/* The settings file: what the values say, and what follows from them. */}}
{{- define "guidepost.settings" -}}
{{- $settings := dict "host" "0.0.0.0" "port" (int .Values.service.port) "workers" (int .Values.workers) "metrics" (printf "0.0.0.0:%d" (int .Values.metrics.port)) }}
{{- if include "guidepost.bundles" . }}{{ $_ := set $settings "policies" "/policies/current" }}{{ end }}
{{- if .Values.log.secretName }}{{ $_ := set $settings "decision-log-file" "/etc/guidepost/log/url" }}{{ end }}
{{- if .Values.log.signKeySecret }}
{{- $_ := set $settings "log-sign-key" "/etc/guidepost/log-key/head.private.pem" }}
{{- else if .Values.log.secretName }}
{{- $_ := set $settings "log-sign" false }}
{{- end }}
{{- if .Values.tls.secretName }}
{{- $_ := set $settings "tls-certificate" "/etc/guidepost/tls/tls.crt" }}
{{- $_ := set $settings "tls-key" "/etc/guidepost/tls/tls.key" }}
{{- if .Values.tls.clients }}{{ $_ := set $settings "tls-client-ca" "/etc/guidepost/tls/ca.crt" }}{{ end }}
{{- end }}
{{- if .Values.callers.secretName }}{{ $_ := set $settings "callers" "/etc/guidepost/callers/callers.yaml" }}{{ end }}
{{- range $name, $value := .Values.settings }}{{ if not (kindIs "invalid" $value) }}{{ $_ := set $settings $name $value }}{{ end }}{{ end }}
{{- toToml $settings | trim }}
{{- end }}

{{/* The port for calls; its name tells proxies whether it is encrypted. */}}
{{- define "guidepost.port" -}}
{name: grpc, port: {{ .Values.service.port }}, targetPort: grpc{{ if not .Values.tls.secretName }}, appProtocol: kubernetes.io/h2c{{ end }}}
{{- end }}

{{/* A probe: the kubelet's own, or, since that knows no TLS, the command. */}}
{{- define "guidepost.probe" -}}
{{- if .root.Values.tls.secretName -}}
exec:
  command:
    - python
    - -m
    - guidepost.cli.commands.health
    - 127.0.0.1:{{ .root.Values.service.port }}
    - --service={{ .service }}
    - --ca=/etc/guidepost/tls/ca.crt
    - --server-name={{ required "tls.serverName is the name in the certificate" .root.Values.tls.serverName }}
    {{- if .root.Values.tls.clients }}
    - --cert=/etc/guidepost/tls/tls.crt
    - --key=/etc/guidepost/tls/tls.key
    {{- end }}
{{- else -}}
grpc:
  port: {{ .root.Values.service.port }}
  service: {{ .service | quote }}
{{- end }}
{{- end }}
